/** All that is known of the library's sentences in simplified Chinese. */
import { zhData } from './zh-data.ts';
import { zhFindings } from './zh-findings.ts';
import { zhLooks } from './zh-looks.ts';
import { zhRows } from './zh-rows.ts';
import { zhRuns } from './zh-runs.ts';
import { zhSettings } from './zh-settings.ts';

/** What sources say. */
export const zhSaid: Readonly<Record<string, string>> = { ...zhRows, ...zhFindings, ...zhData, ...zhRuns, ...zhLooks };
export const zhSentences: Readonly<Record<string, string>> = { ...zhSaid, ...zhSettings };
