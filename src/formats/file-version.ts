/**
 * The `version` that nomoat's own JSON files carry. Promises: a file of a newer nomoat is named as one, instead of being taken for broken or read
 * wrong; a file of 0.1 carries none and is read as version 1, which only added the number.
 */
import { z } from 'zod';
import { NomoatError } from '../errors.ts';

/** The field in a schema of a file whose newest version is `known`; files of 0.1 get the first. */
export const versionField = (known: number): z.ZodDefault<z.ZodInt> => z.int().min(1).max(known).default(1);

/** The version that a value says it has; null where it says none that could be one. */
export function versionOf(value: unknown): number | null {
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : null;
  return typeof version === 'number' && Number.isSafeInteger(version) ? version : null;
}

/** Throws NomoatError where `value`, read from `path`, is of a version that this nomoat does not know yet. */
export function assertKnownVersion(path: string, value: unknown, known: number): void {
  const version = versionOf(value);
  if (version === null || version <= known) return;
  throw new NomoatError({
    part: path,
    fault: `is of version ${version}, and this nomoat reads versions up to ${known}`,
    remedy: 'A newer nomoat wrote it: read it with that one.',
    fields: { problem: 'newer-version', version, known },
  });
}
