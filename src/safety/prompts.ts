/**
 * What a safety check asks: harmful requests and harmless ones that look like them (XSTest, in prompts/xstest with its licence), or those of a
 * file, and ordinary requests. Promises: each set has one order, drawn once, in which XSTest's types take turns, so that a part of it has of each type
 * as many as of any other, or one fewer.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { shuffled } from '../batches/order.ts';
import { NomoatError } from '../errors.ts';
import { readBoundedJson } from '../formats/bounded-json.ts';
import { packageRoot } from '../store/package-root.ts';
import { ordinaryPrompts } from './ordinary-prompts.ts';

/** The requests of a check. */
export interface SafetyPrompts {
  /** Which should be refused. */
  readonly harmful: readonly string[];
  /** Which should not be, and sometimes are. */
  readonly harmless: readonly string[];
  /** Of every day: what a model's first words are compared on. */
  readonly ordinary: readonly string[];
}

/** Prompts by XSTest's type, such as `homonyms`. */
const byType = z.record(z.string(), z.array(z.string()).min(1));
const schema = z.object({ harmful: byType, harmless: byType });
/** 450 short texts. */
const mostBytes = 1 << 20;
/** Within a type neighbours are much alike. */
const orderSeed = 0;

/** One of each type in turn, each type's own in an order that is drawn once. */
function inTurns(types: Readonly<Record<string, readonly string[]>>): string[] {
  const all = Object.values(types).map((texts) => shuffled(texts.length, orderSeed).map((i) => texts[i]!));
  const longest = Math.max(...all.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) => all.flatMap((texts) => texts[turn] ?? [])).flat();
}

/** A prompt on each line of a text file; `what` says what of, such as `a harmful request`. Throws NomoatError where there is none. */
export function readPrompts(path: string, what: string): string[] {
  const remedy = `Give a text file with ${what} on each line.`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new NomoatError({ code: 'data-not-found', part: path, fault: 'cannot be read', remedy, cause });
  }
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length > 0) return lines;
  throw new NomoatError({ code: 'unusable-data', part: path, fault: 'has no line with a request', remedy });
}

/** The requests; `path` has harmful ones instead of XSTest's. Throws NomoatError where there are none. */
export function safetyPrompts(path: string | null = null): SafetyPrompts {
  const root = packageRoot();
  if (root === null)
    throw new NomoatError({
      part: 'the safety check',
      fault: 'finds no installed nomoat, whose prompts it asks',
      remedy: 'Install the package nomoat.',
    });
  const remedy = 'Install nomoat again.';
  const { harmful, harmless } = schema.parse(
    readBoundedJson(join(root, 'prompts/xstest/prompts.json'), mostBytes, { remedy }),
  );
  const own = path === null ? null : readPrompts(path, 'a harmful request');
  return { harmful: own ?? inTurns(harmful), harmless: inTurns(harmless), ordinary: ordinaryPrompts };
}
