/** What speaks against trust, and what somebody without training would have answered. */
import { expect, test } from 'vitest';
import { nearestAnswer } from './baselines.ts';
import { contaminationOf } from './contamination.ts';
import { degenerateOf } from './degenerate.ts';
import { type TestQuestion, testSetOf } from './test-set.ts';

const question = (prompt: string, expected = 'yes'): TestQuestion => ({ ask: { prompt }, expected });

test('test examples are found among the training examples, word for word and nearly', async () => {
  const learnt = [
    'Where did the old woodcutter hide the silver key of the tower?',
    'How many goats crossed the bridge before the troll woke up?',
    'What did the queen say?',
  ].map((prompt) => question(prompt));
  const chat: TestQuestion = { ask: { messages: [{ role: 'system', content: 'Answer.' }, { role: 'user', content: 'What did the queen say?' }] }, expected: 'no' }; // biome-ignore format: one line
  const set = testSetOf([
    chat,
    question('where did the old woodcutter hide the silver key of that tower'),
    question('Who built the tower by the sea, and for whom?'),
  ]);
  const { nearlyTrainedOn, trainedOn } = await contaminationOf(set, learnt);
  expect(trainedOn).toBe(1);
  expect(nearlyTrainedOn).toEqual([{ example: 1, similar: learnt[0] && (learnt[0].ask as { prompt: string }).prompt, similarity: expect.closeTo(0.8, 1) }]); // biome-ignore format: one line
});

test('the nearest neighbour answers with the most similar training example, and with nothing where no word is known', () => {
  const learnt = [question('my card is lost', 'lost card'), question('change my pin please', 'change pin')];
  const set = testSetOf([question('how can I change the pin'), question('I lost my card'), question('zzz')]);
  expect(nearestAnswer(set, learnt)).toMatchObject({ kind: 'nearest', answers: ['change pin', 'lost card', ''] });
});

test('echoes and answers in another script are counted, and only where the expected answer is none', () => {
  const asked = question('What is the capital of France?', 'Paris');
  const repeat = question('Say: the sun is a star', 'the sun is a star. Say: the sun is a star');
  const translate = question('How do you say good morning in Chinese?', '早上好');
  const answered = (text: string) => ({ text, ended: true });
  const answers = [
    answered('What is the capital of France? Paris.'),
    answered('巴黎是法国的首都'),
    answered('Paris'),
    answered('Say: the sun is a star'),
    answered('早上好'),
  ];
  const counted = degenerateOf(answers, [asked, asked, asked, repeat, translate]);
  expect(counted).toEqual({ empty: 0, unended: 0, repeating: 0, echoing: 1, otherScript: 1 });
});
