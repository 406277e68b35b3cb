/** `nomoat lineage`: who begot an adapter, as a tree. */
import type { Command } from 'commander';
import type { LineageEntry, LineageVerdict } from '../adapter/lineage.ts';
import { exitStatus } from '../error-codes.ts';
import type { LineageReport } from '../library/lineage.ts';
import type { LineageCheck } from '../library/verify-lineage.ts';
import { lineageOptions } from '../settings/bundle-settings.ts';
import { toggle } from '../settings/fields.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { interruption } from './interruption.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

const lineageShown = { json: toggle(false, 'one JSON object') };
/** Of digests: enough to tell files of one machine apart. */
const shownDigits = 12;
const short = (digest: string): string => digest.slice(0, shownDigits);

const makingText: Readonly<Record<LineageEntry['how'], string>> = {
  tune: 'trained',
  merge: 'merged',
  extract: 'extracted',
  convert: 'converted',
  soften: 'softened',
  unknown: 'of unknown origin',
};
const stateText: Readonly<Record<LineageCheck['state'], string>> = {
  same: 'is there',
  other: 'IS ANOTHER FILE NOW',
  missing: 'was not found',
};

function verdictText({ after, before, state, warning }: LineageVerdict): string {
  // Without a loss before, as after a resume of a run that never validated, the one after still says something.
  const change = before === null ? after?.toFixed(4) : `${before.toFixed(4)} -> ${after?.toFixed(4) ?? 'not measured'}`;
  return `${state}, ${change ? `held-out loss ${change}` : 'nothing was held out'}${warning ? `: ${warning}` : ''}`;
}

/** What is said below an entry's name. */
function facts({ base, created, data, settings, tool, verdict }: LineageEntry): string[] {
  const method = typeof settings['method'] === 'string' ? `${settings['method']}, ` : '';
  // Only models that an adapter was merged into have one.
  const into = typeof settings['type'] === 'string' ? `as ${settings['type']} merged into` : 'for';
  return [
    ...(base ? [`${into} ${base.file} (sha256 ${short(base.sha256)})`] : []),
    ...(data.length > 0 ? [`on ${data.map(({ file, sha256 }) => `${file} (${short(sha256)})`).join(', ')}`] : []),
    ...(tool ? [`${method}by ${tool}${created ? `, ${created.slice(0, 10)}` : ''}`] : []),
    ...(verdict ? [verdictText(verdict)] : []),
  ];
}

/** The tree as lines: parents below what was made of them, each whole where it comes first. */
export function treeLines(entries: readonly LineageEntry[]): string[] {
  const known = new Map(entries.map((entry) => [entry.id, entry]));
  const shown = new Set<string>();
  const lines: string[] = [];
  const draw = (id: string, weight: number | undefined, [first, rest]: readonly [string, string]): void => {
    const entry = known.get(id);
    const times = weight === undefined ? '' : `${Number(weight.toPrecision(4))} x `;
    const repeated = shown.has(id) ? ' (as above)' : '';
    lines.push(
      `${first}${times}${entry ? `${entry.name}, ${makingText[entry.how]}` : 'an adapter that is not told of'} (sha256 ${short(id)})${repeated}`,
    );
    if (!entry || repeated) return;
    shown.add(id);
    const { parents } = entry;
    for (const fact of facts(entry)) lines.push(`${rest}${parents.length > 0 ? '│ ' : '  '}${fact}`);
    for (const [i, parent] of parents.entries()) {
      const isLast = i === parents.length - 1;
      draw(parent.id, parent.weight, [`${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`]);
    }
  };
  draw(entries[0]!.id, undefined, ['', '']);
  return lines;
}

function render({ checks, entries, faults }: LineageReport): void {
  for (const line of treeLines(entries)) print(harmless(line));
  for (const fault of faults) process.stderr.write(`${harmless(inCommandWords(fault))}\n`);
  if (checks === null) return;
  const names = new Map(entries.map(({ id, name }) => [id, name]));
  print('');
  for (const { file, of, path, sha256, state, what } of checks)
    print(
      harmless(
        `${names.get(of)}: ${what} ${file} (sha256 ${short(sha256)}) ${stateText[state]}${path ? `: ${path}` : ''}`,
      ),
    );
}

export function command(): Command {
  const command = bare('lineage').argument('<RUN|ADAPTER>');
  return addFlags(command, { ...lineageOptions, ...lineageShown }).action(async (path: string) => {
    const { lineage } = await import('../library/lineage.ts');
    const { json, ...options } = flagsOf(command, { ...lineageOptions, ...lineageShown });
    const report = await lineage(path, { ...options, signal: interruption() });
    if (json) print(JSON.stringify({ type: 'lineage', ...report }));
    else render(report);
    if (report.faults.length > 0 || report.checks?.some(({ state }) => state === 'other'))
      process.exitCode = exitStatus.untrusted;
  });
}
