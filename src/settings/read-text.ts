/** Values as flags and recipes write them. Pure; what a value may be is said by its field. */
import { z } from 'zod';
import type { Field } from './fields.ts';

/** The number that a text says; one that says none stays, for the field to quote. */
const numberIn = (text: string): unknown => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text);

/** What flags and recipes write as text, as the field has it; what it cannot be is left for the field to refuse. */
export function readText({ choices, inner, kind }: Field, value: unknown): unknown {
  if (kind === 'number' && typeof value === 'string') return numberIn(value);
  if (kind === 'text' && typeof value === 'number') return String(value);
  if (kind !== 'list' || typeof value === 'boolean') return value;
  // A flag that takes several gives them as a list, of which each may again be several: "0.7,0.3".
  if (inner instanceof z.ZodArray && inner.element instanceof z.ZodNumber)
    return [value].flat().flatMap((item) => (typeof item === 'string' ? item.split(',').map(numberIn) : [item]));
  // Texts of any kind have commas.
  if (choices.length === 0) return typeof value === 'string' ? [value] : value;
  const items = Array.isArray(value)
    ? value.map(String)
    : String(value)
        .split(',')
        .map((item) => item.trim());
  return items.join() === 'all' ? choices : items;
}
