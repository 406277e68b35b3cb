/** Control tokens in answers, with the packaged model made to say one. */
import { expect, test } from 'vitest';
import { openModel } from '../index.ts';

test('a control token is text where its markup is read, and else of no answer', async () => {
  await using model = await openModel({ model: 'nomoat-mini', threads: 1 });
  const [start] = model.promptTokens([{ role: 'user', content: 'x' }]);
  const ask = async (markup?: string[]) => {
    const pieces: string[] = [];
    const options = {
      temperature: 0,
      maxTokens: 3,
      logitBias: { [start!]: 100 },
      onText: (piece: string) => pieces.push(piece),
    };
    const { text } = await model.generate([{ role: 'user', content: 'x' }], {
      ...options,
      ...(markup ? { markup } : {}),
    });
    expect(pieces.join('')).toBe(text);
    return text;
  };
  const shown = '<|im_start|>';
  expect(await ask([`${shown}{`, 'other'])).toBe(shown.repeat(3));
  expect([await ask(), await ask(['<tool_call>'])]).toEqual(['', '']);
});
