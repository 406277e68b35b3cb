/** `nomoat runs`: the runs in ./runs. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { RunRecord } from '../run/run-folder.ts';
import { toggle } from '../settings/fields.ts';
import { shellQuote } from '../words/shell-quote.ts';
import { bare } from './bare-command.ts';
import { commandName } from './command-name.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

const runsShown = { json: toggle(false, 'one JSON object a run') };

/** What a list says of a run. */
const summaryOf = ({ created, settings, validationAfter, validationBefore, verdict }: RunRecord) => ({
  created,
  model: settings.model,
  method: settings.method,
  validationBefore,
  validationAfter,
  ...(verdict === undefined ? {} : { verdict: inCommandWords(verdict) }),
});

export function command(): Command {
  const command = bare('runs');
  return addFlags(command, runsShown).action(async () => {
    const { listRuns } = await import('../library/runs.ts');
    const runs = listRuns();
    if (flagsOf(command, runsShown).json) {
      for (const { record, ...run } of runs)
        print(JSON.stringify({ type: 'run', ...run, ...(record ? summaryOf(record) : {}) }));
      return;
    }
    if (runs.length === 0) print(`No runs in ${resolve('runs')}.`);
    const loss = (value: number | null): string => (value === null ? '-' : value.toFixed(4));
    for (const { fault, path, state, record } of runs) {
      if (!record) print(`${'unreadable'.padEnd(13)} ${path}: ${fault}`);
      else
        print(
          `${state.padEnd(13)} ${record.settings.model.padEnd(24)} validation ${loss(record.validationBefore)} -> ${loss(record.validationAfter)}  ${path}`,
        );
    }
    const open = runs.find(({ state }) => state === 'interrupted' || state === 'failed');
    if (open) print(`\nGo on with one that is not done: ${commandName()} tune --resume ${shellQuote(open.path)}`);
  });
}
