/**
 * Who begot an adapter, as nomoat.json beside its files says it, or a GGUF LoRA itself: its own entry first, then
 * those of all that it was made of. Adapters are named by the SHA-256 of their weights, so the same weights are the same adapter.
 * Promises: names of files, no path of the machine; what is read has that shape, is bounded and has no circle.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { machineFacts } from '../machine/machine.ts';
import { ownVersion } from '../store/installed-version.ts';
import { type AdapterBase, baseSchema, sha256Text } from './adapter-base.ts';

/** A file by its name and SHA-256 (lower-case hex). */
export interface NamedDigest {
  readonly file: string;
  readonly sha256: string;
}

/** How an adapter came to be; `unknown` of what says nothing of itself. */
export const makings = ['tune', 'merge', 'extract', 'convert', 'soften', 'unknown'] as const;
/** tune, merge, extract, convert, soften or unknown. */
export type Making = (typeof makings)[number];

/** What its maker says of a result: how its run ended, and what it was worth. */
export interface LineageVerdict {
  /** As a run's record has it, such as `done` or `proof-failed`. */
  readonly state: string;
  /** Why it is not to be trusted; null where nothing speaks against it. */
  readonly warning: string | null;
  /** Loss of what was held out, nats per supervised token; null where none was. */
  readonly before: number | null;
  readonly after: number | null;
}

/** One adapter of a lineage, or a model that one was extracted from. */
export interface LineageEntry {
  /** SHA-256 of its weights (lower-case hex); of several files, of their digests in order. */
  readonly id: string;
  /** Of its folder or file. */
  readonly name: string;
  readonly how: Making;
  /** What it consisted of when it was made. */
  readonly files: readonly NamedDigest[];
  /** The model that it is for, where that is known. */
  readonly base: AdapterBase | null;
  /** What was learnt from. */
  readonly data: readonly NamedDigest[];
  /** What it was made with: a run's recipe, or the settings of a merge. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** SHA-256 of the run's recipe as a bundle has it, without paths (of runs before 0.2 of their own recipe.yaml); null of what is no run's. */
  readonly recipe: string | null;
  /** What it was made of, by `id`; `weight` is how strongly a merge or a stack counts it. */
  readonly parents: readonly { readonly id: string; readonly weight?: number | undefined }[];
  /** Name and version; null where nobody says. */
  readonly tool: string | null;
  /** Processor, cores and system; null where that changes nothing, as of a conversion. */
  readonly machine: Readonly<Record<string, unknown>> | null;
  /** ISO 8601; null likewise. */
  readonly created: string | null;
  readonly verdict: LineageVerdict | null;
}

/** A parent with all that it descends from, its own entry first. */
export interface Parent {
  readonly entries: readonly LineageEntry[];
  readonly weight?: number | undefined;
}

/** What its maker knows of an adapter: everything but its files. */
export interface Begotten
  extends Pick<LineageEntry, 'how'>,
    Partial<Pick<LineageEntry, 'name' | 'data' | 'settings' | 'recipe' | 'tool' | 'machine' | 'created' | 'verdict'>> {
  readonly parents: readonly Parent[];
}

/** Of the record in nomoat.json and GGUF. */
const lineageVersion = 1;
/** Of GGUF's metadata. */
export const lineageKey = 'nomoat.lineage';
/** More than anybody merges in a life; a lineage is walked whole. */
const mostEntries = 2000;

const digest = z.string().regex(sha256Text);
const named = z.object({ file: z.string(), sha256: digest });
const number = z.number().nullable();
const entrySchema = z.looseObject({
  id: z.union([digest, z.literal('')]),
  name: z.string(),
  how: z.enum(makings),
  files: z.array(named),
  base: baseSchema.nullable(),
  data: z.array(named),
  settings: z.record(z.string(), z.unknown()),
  recipe: digest.nullable(),
  parents: z.array(z.object({ id: digest, weight: z.number().optional() })),
  tool: z.string().nullable(),
  machine: z.record(z.string(), z.unknown()).nullable(),
  created: z.string().nullable(),
  verdict: z.object({ state: z.string(), warning: z.string().nullable(), before: number, after: number }).nullable(),
});
export const entriesSchema = z.array(entrySchema).min(1).max(mostEntries);
const lineageSchema = z.looseObject({ version: z.literal(lineageVersion), entries: entriesSchema });

/** Throws NomoatError where somebody descends from himself, as only a forged or damaged lineage says. */
export function assertNoCircle(part: string, entries: readonly LineageEntry[]): void {
  const known = new Map(entries.map((entry) => [entry.id, entry]));
  const done = new Set<string>();
  // Walked without recursion: a chain may be as long as there are entries.
  for (const { id: start } of entries) {
    const way: string[] = [];
    const pending: (string | null)[] = [start];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (id === null) done.add(way.pop()!);
      else if (way.includes(id)) {
        const names = [...way.slice(way.indexOf(id)), id].map((each) => known.get(each)?.name ?? each.slice(0, 12));
        throw new NomoatError({
          code: 'unusable-adapter',
          part,
          fault: `has a cyclic lineage: ${names.join(' is made of ')}`,
          remedy: 'Nobody is his own ancestor: take the file from who made it, or delete the `lineage` in it.',
        });
      } else if (!done.has(id)) {
        way.push(id);
        pending.push(null, ...(known.get(id)?.parents.map((parent) => parent.id) ?? []));
      }
    }
  }
}

/** Entries out of what a file holds. Throws NomoatError. */
export function parseLineage(part: string, value: unknown): readonly LineageEntry[] {
  const { data, error } = lineageSchema.safeParse(value);
  if (!data) {
    const [first] = error.issues;
    throw new NomoatError({
      code: 'unusable-adapter',
      part,
      fault: `has a lineage that cannot be read (${first!.path.join('.') || 'it'}: ${first!.message})`,
      remedy: 'Put the file back from a copy, or delete the `lineage` in it.',
    });
  }
  assertNoCircle(part, data.entries);
  return data.entries;
}

/** The digest of weights in one file or several. */
export const weightsId = (digests: readonly string[]): string =>
  digests.length === 1 ? digests[0]! : createHash('sha256').update(digests.join('\n')).digest('hex');

/** Processor and system, as far as they change what a training computes. */
export function lineageMachine(
  facts: Readonly<Record<string, unknown>> = { ...machineFacts() },
): Record<string, unknown> {
  const { architecture, cpu, instructionSets, logicalCores, physicalCores, platform } = facts;
  return { platform, architecture, cpu, physicalCores, logicalCores, instructionSets };
}

/** A file or an adapter that says nothing of where it comes from. */
export const foundling = (
  name: string,
  files: readonly NamedDigest[],
  id: string,
  base: AdapterBase | null = null,
): LineageEntry => ({
  id,
  name,
  how: 'unknown',
  files,
  base,
  data: [],
  settings: {},
  recipe: null,
  parents: [],
  tool: null,
  machine: null,
  created: null,
  verdict: null,
});

/**
 * The entries of an adapter that was just made: its own, then each ancestor once. Where its weights are those of an ancestor (converted there
 * and back), it is that ancestor.
 */
export function begetEntries(
  own: Pick<LineageEntry, 'id' | 'name' | 'files' | 'base'>,
  begotten: Begotten,
): LineageEntry[] {
  const { parents, ...known } = begotten;
  const ancestors = new Map(parents.flatMap(({ entries }) => entries).map((entry) => [entry.id, entry]));
  const entry: LineageEntry = {
    ...foundling(own.name, own.files, own.id, own.base),
    tool: `nomoat ${ownVersion() ?? 'unknown'}`,
    ...known,
    parents: parents.map(({ entries, weight }) => ({
      id: entries[0]!.id,
      ...(weight === undefined ? {} : { weight }),
    })),
  };
  const same = ancestors.get(own.id);
  if (!same) return [entry, ...ancestors.values()];
  const kept: LineageEntry[] = [];
  const pending = [own.id];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const found = ancestors.get(id);
    if (!found || kept.includes(found)) continue;
    kept.push(found);
    pending.push(...found.parents.map((parent) => parent.id));
  }
  return kept;
}

/** As it stands in files. */
export const lineageRecord = (entries: readonly LineageEntry[]) => ({ version: lineageVersion, entries });

/** As a text for GGUF's metadata: the file's own digest is not known in it, and who reads it knows it. */
export const lineageText = (name: string, base: AdapterBase | null, begotten: Begotten): string =>
  JSON.stringify(lineageRecord(begetEntries({ id: '', name, files: [], base }, begotten)));
