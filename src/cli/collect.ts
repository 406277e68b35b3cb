/** `nomoat collect`: what was thought of answers in chats, as a data set. */
import type { Command } from 'commander';
import type { CollectedData } from '../library/collect.ts';
import { type CollectKind, collectOptions } from '../settings/collect-settings.ts';
import { toggle } from '../settings/fields.ts';
import { harmless } from '../words/harmless.ts';
import { shellQuote } from '../words/shell-quote.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { interruption } from './interruption.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

const shown = { json: toggle(false, 'as one JSON object') };

/** What rows of each kind are, and what learns from them. */
const kinds: Readonly<Record<CollectKind, { readonly are: string; readonly method: string }>> = {
  dpo: { are: 'pairs', method: ' --method dpo' },
  kto: { are: 'labelled answers', method: ' --method kto' },
  sft: { are: 'answers', method: '' },
};

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** What was collected, for people. */
export function renderCollected(data: CollectedData): string {
  const { kind, leftOut, marks, notes, path, provenance, rows, sources, unmarked } = data;
  const { bad, better, good } = marks;
  const conversations = sources.reduce((sum, source) => sum + source.conversations, 0);
  const { are, method } = kinds[kind];
  return [
    `${counted(conversations, 'conversation')} of ${counted(sources.length, 'file')}: answers marked good ${good}, bad ${bad}, bad with a better answer ${better}; without a mark ${unmarked}`,
    ...(leftOut.length > 0
      ? ['left out:', ...leftOut.map(({ count, first, reason }) => `   ${count}: ${reason} (first: ${first})`)]
      : []),
    `${path}: ${rows} rows (${are}); where each comes from: ${provenance}`,
    ...notes,
    `Learn from them: nomoat tune ${shellQuote(path)}${method}`,
  ].join('\n');
}

export function command(): Command {
  const command = bare('collect').argument('<FILE|FOLDER...>');
  return addFlags(command, { ...collectOptions, ...shown }).action(async (sources: string[]) => {
    const { json, ...options } = flagsOf(command, { ...collectOptions, ...shown });
    const { collect } = await import('../library/collect.ts');
    const data = await collect(sources, { ...options, signal: interruption() });
    print(json ? JSON.stringify({ type: 'collected', ...data }) : harmless(inCommandWords(renderCollected(data))));
  });
}
