/** Several adapters in one text, `a@0.7+b`, as the server reads it. Pure. */

export interface StackPart {
  readonly name: string;
  /** As it was typed: 1 is as it was trained. */
  readonly scale: string;
}

/** The parts of a stack; a text that is a name is that alone, since names may have a + of their own. */
export function splitStack(text: string, names: readonly string[]): StackPart[] {
  if (names.includes(text) || !text.includes('+')) return [{ name: text, scale: '1' }];
  return text.split('+').map((part) => {
    const [, name = part, scale = '1'] = /^(.*)@([\d.,]*)$/.exec(part) ?? [];
    return { name, scale };
  });
}

export const joinStack = (parts: readonly StackPart[]): string =>
  parts.length === 1
    ? parts[0]!.name
    : parts.map(({ name, scale }) => (scale === '1' ? name : `${name}@${scale.replace(',', '.')}`)).join('+');
