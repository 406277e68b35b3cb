import { expect, test } from 'vitest';
import type { ChatModel } from '../chat/chat-model.ts';
import { exactMatch } from './exact-match.ts';

test('only exact answers count, white space at the ends apart', async () => {
  const said = ['yes', ' yes\n', 'Yes', 'yes!'];
  const model: Pick<ChatModel, 'generate'> = {
    generate: (_, options) => {
      expect(options?.temperature).toBe(0);
      const counts = { tokens: 1, promptTokens: 1, reusedTokens: 0, stopReason: 'end-of-turn' } as const;
      return Promise.resolve({ text: said.shift()!, ...counts });
    },
  };
  const done: number[] = [];
  const question = { messages: [{ role: 'user' as const, content: '?' }], expected: 'yes' };
  const result = await exactMatch(model, [question, question, question, question], (n) => done.push(n));
  expect(result).toMatchObject({ right: 2, total: 4, answers: ['yes', ' yes\n', 'Yes', 'yes!'] });
  expect(done).toEqual([1, 2, 3, 4]);
});
