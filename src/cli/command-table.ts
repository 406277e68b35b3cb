/** What there is to call, for help and for finding it: no command's own module is loaded for that. */
import type { Command } from 'commander';
import { bare, type CommandName } from './bare-command.ts';

interface Entry {
  /** As commander writes it; absent where there is none. */
  readonly argument?: string;
  readonly load: () => Promise<{ readonly command: () => Command }>;
}

/** In the order of the help. */
const table: Readonly<Record<CommandName, Entry>> = {
  quickstart: { load: () => import('./quickstart.ts') },
  tune: { argument: '[DATA...]', load: () => import('./tune.ts') },
  plan: { argument: '<DATA...>', load: () => import('./plan.ts') },
  pretrain: { argument: '<TEXT...>', load: () => import('./pretrain.ts') },
  chat: { argument: '[MODEL|RUN]', load: () => import('./chat.ts') },
  serve: { load: () => import('./serve.ts') },
  studio: { load: () => import('./studio.ts') },
  keys: { argument: '<ACTION> [NAME]', load: () => import('./keys.ts') },
  preview: { argument: '<DATA...>', load: () => import('./preview.ts') },
  jobs: { argument: '[ACTION] [ID]', load: () => import('./jobs.ts') },
  'import-openai': { argument: '<FILE|FOLDER...>', load: () => import('./import-openai.ts') },
  collect: { argument: '<FILE|FOLDER...>', load: () => import('./collect.ts') },
  eval: { argument: '[MODEL|RUN]', load: () => import('./eval.ts') },
  check: { argument: '<MODEL|RUN|ADAPTER>', load: () => import('./check.ts') },
  inspect: { argument: '<RUN|ADAPTER|MODEL>', load: () => import('./inspect.ts') },
  export: { argument: '<RUN>', load: () => import('./export.ts') },
  convert: { argument: '<ADAPTER>', load: () => import('./convert.ts') },
  card: { argument: '<RUN>', load: () => import('./card.ts') },
  merge: { argument: '<ADAPTER...>', load: () => import('./merge.ts') },
  extract: { argument: '<TUNED> <BASE>', load: () => import('./extract.ts') },
  lineage: { argument: '<RUN|ADAPTER>', load: () => import('./lineage.ts') },
  pack: { argument: '<RUN|ADAPTER>', load: () => import('./pack.ts') },
  reproduce: { argument: '<RUN>', load: () => import('./reproduce.ts') },
  verify: { argument: '<BUNDLE>', load: () => import('./verify.ts') },
  pull: { argument: '<NAME>', load: () => import('./pull.ts') },
  push: { argument: '<RUN|BUNDLE|ADAPTER>', load: () => import('./push.ts') },
  index: { argument: '<DIR>', load: () => import('./index-folder.ts') },
  models: { load: () => import('./models.ts') },
  runs: { load: () => import('./runs.ts') },
  doctor: { load: () => import('./doctor.ts') },
  schema: { argument: '[COMMAND...]', load: () => import('./schema.ts') },
};

const entries = Object.entries(table) as [CommandName, Entry][];

/** All commands, whole. */
export const allCommands = (): Promise<Command[]> =>
  Promise.all(entries.map(async ([, { load }]) => (await load()).command()));

/** All commands: those that `words` of the command line name are whole, of the others only what the help says of them. */
export async function commandsFor(words: readonly string[]): Promise<Command[]> {
  // `nomoat help tune` names its command second.
  const named = words.filter((word) => !word.startsWith('-')).slice(0, 2);
  return Promise.all(
    entries.map(async ([name, { argument, load }]) => {
      if (named.includes(name)) return (await load()).command();
      return argument === undefined ? bare(name) : bare(name).arguments(argument);
    }),
  );
}
