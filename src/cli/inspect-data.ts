/** `nomoat inspect data`: what data holds that should be known before it is learnt. */
import { Command } from 'commander';
import { type DataFinding, type FindingKind, type FindingSeverity, findingKinds } from '../data-checks/finding.ts';
import type { DataInspection } from '../library/inspect-data.ts';
import { summaries } from '../settings/command-summaries.ts';
import { toggle } from '../settings/fields.ts';
import { inspectDataOptions } from '../settings/inspect-settings.ts';
import { placeOf } from '../text/example.ts';
import { harmless } from '../words/harmless.ts';
import { addFlags, flagsOf } from './flags.ts';
import { paced } from './inspect-text.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

const table = { ...inspectDataOptions, json: toggle(false, 'as one JSON object, with every finding') };
/** Findings of a kind that are shown; `--json` has all. */
const shownOfKind = 5;
/** Languages and labels that are shown. */
const shownCounts = 8;

const marks: Readonly<Record<FindingSeverity, string>> = { severe: '!!', warning: ' !', note: '  ' };

const lineOf = ({ excerpt, like, place, rows, rule, severity }: DataFinding): string => {
  const more = rows.length > 1 ? ` and ${rows.length - 1} more` : '';
  const where = `${placeOf(rows[0]!)}${more}${place ? `, ${place}` : ''}`;
  return `${marks[severity]} ${where}: ${rule}${like ? ` (${placeOf(like)})` : ''}${excerpt ? `: ${excerpt}` : ''}`;
};

const listed = (counts: readonly { readonly name: string; readonly rows: number }[]): string => {
  const shown = counts.slice(0, shownCounts).map(({ name, rows }) => `${name} ${rows}`);
  return [...shown, ...(counts.length > shownCounts ? [`${counts.length - shownCounts} more`] : [])].join(', ');
};

/** Rows, lengths, languages and labels. */
function headOf({ characters, files, format, labels, languages, notes, rows, tokens }: DataInspection): string[] {
  const lengths = ({ longest, median, percentile95, shortest }: DataInspection['characters']): string =>
    `${shortest} to ${longest}, half up to ${median}, 95% up to ${percentile95}`;
  return [
    `${rows} rows of ${files.length} ${files.length === 1 ? 'file' : 'files'}, format ${format}`,
    ...notes,
    `characters: ${lengths(characters)}`,
    ...(tokens ? [`tokens: ${lengths(tokens.lengths)}`] : []),
    ...Object.entries(tokens?.notices ?? {}).map(([note, count]) => `${count} rows: ${note}`),
    `languages: ${listed(languages.map(({ language, rows }) => ({ name: language ?? 'too short to tell', rows })))}`,
    ...(labels
      ? [`answers (${labels.length} labels): ${listed(labels.map(({ label, rows }) => ({ name: label, rows })))}`]
      : []),
  ];
}

export function renderDataInspection(inspection: DataInspection): string {
  const { counts, findings, written } = inspection;
  const kinds = counts.flatMap(({ kind, rows }) => {
    const own = findings.filter((finding) => finding.kind === kind);
    const shown = own.slice(0, shownOfKind).map(lineOf);
    const more = own.length > shownOfKind ? [`   ${own.length - shownOfKind} more: --json has all`] : [];
    return ['', `${kind}: ${rows} ${rows === 1 ? 'row' : 'rows'} (${findingKinds[kind]})`, ...shown, ...more];
  });
  const end = written
    ? [
        '',
        `${written.path}: ${written.rows} rows; ${written.leftOut.length} left out:`,
        ...written.leftOut.map(({ kinds, row }) => `   ${placeOf(row)}: ${kinds.join(', ')}`),
      ]
    : [];
  return [...headOf(inspection), ...(kinds.length > 0 ? kinds : ['', 'Nothing was found.']), ...end].join('\n');
}

export function dataCommand(): Command {
  const command = new Command('data').description(summaries['inspect data']).argument('<DATA...>', 'files or a folder');
  return addFlags(command, table).action(async (data: string[]) => {
    const { json, leaveOut, ...options } = flagsOf(command, table);
    const { inspectData } = await import('../library/inspect-data.ts');
    // Kinds are judged by the library, which knows them.
    const found = await paced((pace) =>
      inspectData({ ...options, data, leaveOut: leaveOut as readonly FindingKind[], ...pace }),
    );
    print(
      json
        ? JSON.stringify({ type: 'data-inspection', ...found })
        : harmless(inCommandWords(renderDataInspection(found))),
    );
  });
}
