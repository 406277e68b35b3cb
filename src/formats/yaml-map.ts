/**
 * Small YAML files that hold a map. Promises: what the file says is what is read, or it is refused; YAML's parser would
 * go on with what it could make of a broken one. Knows nothing of what the keys mean.
 */
import { readFileSync, statSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { NomoatError } from '../errors.ts';
import { tooDeep } from './bounded-json.ts';
import { decodeText } from './decode-text.ts';

/** Larger files are nothing that a person wrote. */
const maxBytes = 1 << 20;
/** YAML aliases beyond this are an attack. */
const maxAliases = 100;

/** The map in the file at `path`. Throws NomoatError with that remedy; `what` is what it is a map of. */
export function readYamlMap(path: string, what: string, remedy: string): Readonly<Record<string, unknown>> {
  const refuse = (fault: string, cause?: unknown): never => {
    throw new NomoatError({ part: path, fault, remedy, cause });
  };
  let text = '';
  try {
    if (statSync(path).size > maxBytes) refuse(`is larger than ${maxBytes} bytes`);
    text = decodeText(path, readFileSync(path));
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    refuse(`cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
  }
  // The parser takes minutes for what it calls itself for thousands of times.
  if (tooDeep(text)) refuse('is nested too deeply');
  let value: unknown;
  try {
    const document = parseDocument(text, { logLevel: 'error' });
    // A tag that nobody knows is a warning, and its value would be taken for a text.
    const fault = document.errors[0] ?? document.warnings[0];
    if (fault) throw fault;
    value = document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    refuse(`is no valid YAML (${(error as Error).message.split('\n')[0]!.replace(/:$/, '')})`, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(`is no map of ${what}`);
  return value as Readonly<Record<string, unknown>>;
}
