/**
 * A run's record and events as its reports carry them, which are shown to others: files and folders by their names, not by where they
 * lie on this machine. run.json, recipe.yaml and events.jsonl stay as they are: a run goes on from them. Pure.
 */
import type { RunEvent } from '../events.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { stackPaths } from '../store/stack.ts';
import type { RunRecord } from './run-record.ts';

export interface Shareable {
  readonly record: RunRecord;
  readonly events: readonly RunEvent[];
}

const parts = (path: string): string[] => path.split(/[/\\]+/).filter((part) => part !== '');

/** The paths with as many of their last parts as tell them apart. */
function shortNames(paths: readonly string[]): Map<string, string> {
  const name = (path: string, kept: number): string => parts(path).slice(-kept).join('/');
  const names = new Map<string, string>();
  for (const path of paths) {
    let kept = 1;
    const isShared = (): boolean => paths.some((other) => other !== path && name(other, kept) === name(path, kept));
    while (kept < parts(path).length && isShared()) kept++;
    names.set(path, name(path, kept));
  }
  return names;
}

/** The files and folders of a run. */
function pathsOf({
  data,
  frozenAdapter = null,
  initialAdapter,
  modelPath,
  pretrain,
  run,
  validation,
}: RunSettings): string[] {
  const single = [
    modelPath,
    run,
    ...stackPaths(initialAdapter),
    ...stackPaths(frozenAdapter),
    pretrain?.tokenizer ?? null,
    validation,
  ];
  return [...new Set([...data, ...single.filter((path) => typeof path === 'string')])];
}

/** Replaces what stands at the beginning of a path, and not in the middle of a name. */
function replacer(names: ReadonlyMap<string, string>): (text: string) => string {
  // A run's model may lie in its folder: the longer path first.
  const known = [...names].sort(([a], [b]) => b.length - a.length);
  const escaped = known.map(([path]) => path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`(?<![\\w.-])(${escaped.join('|')})(?![\\w.-])`, 'g');
  return (text) => text.replace(pattern, (path) => names.get(path) ?? path);
}

function withTexts<Value>(value: Value, change: (text: string) => string): Value {
  const changed = (part: unknown): unknown => {
    if (typeof part === 'string') return change(part);
    if (Array.isArray(part)) return part.map(changed);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, entry]) => [change(key), changed(entry)]));
  };
  return changed(value) as Value;
}

/** `home` is the user's folder, which notices may name. Samples are the data's own words, and stay. */
export function shareable(record: RunRecord, events: readonly RunEvent[], home: string): Shareable {
  const names = shortNames(pathsOf(record.settings).filter((path) => parts(path).length > 0));
  if (parts(home).length > 0) names.set(home, '~');
  const change = replacer(names);
  return {
    record: withTexts(record, change),
    events: events.map((event) => (event.type === 'sample' ? event : withTexts(event, change))),
  };
}
