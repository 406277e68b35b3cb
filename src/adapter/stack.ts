/** Several adapters in one text, each with how strongly it counts: `a@0.7+b`. A text that is a path is that adapter alone. */
import { existsSync } from 'node:fs';
import { NomoatError } from '../errors.ts';

/** An adapter of a stack; 1 is as it was trained. */
export interface StackedAdapter {
  readonly path: string;
  readonly scale: number;
}

const remedy =
  'Write a stack as FIRST@0.7+SECOND@0.3: paths divided by +, each with a number behind @ where it is not 1.';

function partOf(text: string): StackedAdapter {
  const at = text.lastIndexOf('@');
  if (at <= 0 || existsSync(text)) return { path: text, scale: 1 };
  const [path, number] = [text.slice(0, at), text.slice(at + 1)];
  const scale = number.trim() === '' ? Number.NaN : Number(number);
  if (Number.isFinite(scale)) return { path, scale };
  throw new NomoatError({
    code: 'invalid-settings',
    part: '`adapter`',
    fault: `${text} has no number behind @`,
    remedy,
  });
}

/** The adapters that `text` names, in order. Throws NomoatError where a part is empty or its scale is no number. */
export function parseStack(text: string): StackedAdapter[] {
  if (typeof text !== 'string')
    throw new NomoatError({ code: 'invalid-settings', part: '`adapter`', fault: `${JSON.stringify(text)} is no text`, remedy }); // biome-ignore format: one line
  if (existsSync(text)) return [{ path: text, scale: 1 }];
  const parts = text.split('+');
  if (parts.some((part) => part.trim() === ''))
    throw new NomoatError({ code: 'invalid-settings', part: '`adapter`', fault: `${text} has an empty part`, remedy });
  return parts.map(partOf);
}
