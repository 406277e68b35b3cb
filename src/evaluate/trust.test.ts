/** What speaks against trust, and what somebody without training would have answered. */
import { expect, test } from 'vitest';
import * as languages from '../text/text-language.ts';
import { nearestAnswer } from './baselines.ts';
import { contaminationOf } from './contamination.ts';
import { degenerateOf } from './degenerate.ts';
import { chosenExamples, withShots } from './few-shot.ts';
import { reworded, rewordings } from './rewordings.ts';
import { type TestQuestion, testSetOf } from './test-set.ts';
import { forgettingOf } from './trust/forgetting.ts';
import { canaryOf, canaryTexts, exposureOf, toldApart } from './trust/memorisation.ts';

const question = (prompt: string, expected = 'yes'): TestQuestion => ({ ask: { prompt }, expected });

test('test examples are found among the training examples, word for word and nearly', async () => {
  const learnt = [
    'Where did the old woodcutter hide the silver key of the tower?',
    'How many goats crossed the bridge before the troll woke up?',
    'What did the queen say?',
  ].map((prompt) => question(prompt));
  const chat: TestQuestion = {
    ask: {
      messages: [
        { role: 'system', content: 'Answer.' },
        { role: 'user', content: 'What did the queen say?' },
      ],
    },
    expected: 'no',
  };
  const set = testSetOf([
    chat,
    question('where did the old woodcutter hide the silver key of that tower'),
    question('Who built the tower by the sea, and for whom?'),
  ]);
  const { nearlyTrainedOn, trainedOn } = await contaminationOf(set, learnt);
  expect(trainedOn).toBe(1);
  expect(nearlyTrainedOn).toEqual([
    {
      example: 1,
      similar: learnt[0] && (learnt[0].ask as { prompt: string }).prompt,
      similarity: expect.closeTo(0.8, 1),
    },
  ]);
});

test('the nearest neighbour answers with the most similar training example, and with nothing where no word is known', () => {
  const learnt = [question('my card is lost', 'lost card'), question('change my pin please', 'change pin')];
  const set = testSetOf([question('how can I change the pin'), question('I lost my card'), question('zzz')]);
  expect(nearestAnswer(set, learnt)).toMatchObject({ kind: 'nearest', answers: ['change pin', 'lost card', ''] });
});

test('echoes and answers in another script or language are counted, and only where the expected answer is none', () => {
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
    answered('La capitale de la France est la ville de Paris, bien sûr.'),
    answered('Guten Morgen, wie geht es dir heute?'),
  ];
  const german = question(
    'How do you say good morning, how are you today in German?',
    'Guten Morgen, wie geht es dir heute?',
  );
  const counted = degenerateOf(answers, [asked, asked, asked, repeat, translate, asked, german], languages);
  expect(counted).toEqual({ empty: 0, unended: 0, repeating: 0, echoing: 1, otherScript: 1, otherLanguage: 1 });
});

test('examples in the prompt are chosen by the seed, new answers first, and as many as fit', () => {
  const learnt = Array.from({ length: 12 }, (_, i) => question(`is ${i} odd`, ['yes', 'no', 'perhaps'][i % 3]!));
  const chosen = chosenExamples(learnt, { count: 5, seed: 1 });
  expect(new Set(chosen.slice(0, 3).map(({ expected }) => expected)).size).toBe(3);
  expect(chosenExamples(learnt, { count: 5, seed: 1 })).toEqual(chosen);
  expect(chosenExamples(learnt, { count: 5, seed: 2 })).not.toEqual(chosen);
  const chat: TestQuestion = {
    ask: {
      messages: [
        { role: 'system', content: 'Say.' },
        { role: 'user', content: 'is 9 odd' },
      ],
    },
    expected: 'yes',
  };
  const given = { count: 3, seed: 1, answerTokens: 10 };
  const { count, questions } = withShots([chat], learnt, { ...given, most: 4096 });
  expect(count).toBe(3);
  const { messages } = questions[0]!.ask as Extract<TestQuestion['ask'], { messages: unknown }>;
  expect(messages.map(({ role }) => role)).toEqual([
    'system',
    'user',
    'assistant',
    'user',
    'assistant',
    'user',
    'assistant',
    'user',
  ]);
  expect(messages.at(-1)).toEqual({ role: 'user', content: 'is 9 odd' });
  expect(withShots([chat], learnt, { ...given, most: 250 }).count).toBe(1);
  expect(withShots([chat], learnt, { ...given, most: 50 })).toEqual({ questions: [chat], count: 0 });
});

test('other wordings change the last thing that is asked, and nothing else', () => {
  const chat: TestQuestion = {
    ask: {
      messages: [
        { role: 'system', content: 'Be Brief.' },
        { role: 'user', content: 'Where is my Card?' },
      ],
    },
    expected: 'card',
  };
  const said = rewordings.map(
    (how) => (reworded(chat, how).ask as Extract<TestQuestion['ask'], { messages: unknown }>).messages,
  );
  expect(said.map((messages) => messages[0]!.content)).toEqual(rewordings.map(() => 'Be Brief.'));
  expect(said.map((messages) => messages[1]!.content)).toEqual([
    'where is my card?',
    'Where is my Card',
    'Hello, I have a question. Where is my Card?',
    '"Where is my Card?"',
    '\n  Where is my Card?  \n',
  ]);
});

test('learnt answers are told from held-out ones by what training gained, and canaries by their rank', () => {
  const known = (gain: number, isGiven = false) => ({ gain, isGiven });
  const { given, separation, standardError } = toldApart([known(3, true), known(2, true)], [known(1), known(2)]);
  // Of four pairs three are above, one is equal.
  expect([given, separation]).toEqual([{ learnt: 1, heldOut: 0 }, 0.875]);
  expect(standardError).toBeCloseTo(Math.sqrt(5 / 48), 12);
  const { beginning, endings } = canaryOf('my pin is 4711', 1);
  expect([beginning, endings[0], endings.length]).toEqual(['my pin ', 'is 4711', canaryTexts]);
  expect(endings.every((ending) => /^is \d{4}$/.test(ending))).toBe(true);
  expect(canaryOf('the word is swordfish', 1).endings[1]).toMatch(/^[a-z]{2} [a-z]{9}$/);
  expect(exposureOf('x', [-1, -2, -3, -4]).exposure).toBe(2);
  expect(exposureOf('x', [-4, -2, -3, -1]).exposure).toBe(0);
});

test('forgetting is the loss of all tokens and the right answers, before and after, paired', () => {
  const measured = (nats: number, right: number) => ({
    losses: Array.from({ length: 12 }, (_, i) => ({ nats: nats + i, tokens: 10 })),
    right: [1, right, 0],
  });
  const found = forgettingOf(measured(10, 1), measured(30, 0));
  expect(found).toMatchObject({
    before: { loss: 1.55, right: 2 },
    after: { loss: 3.55, right: 1 },
    texts: 12,
    questions: 3,
    answersPValue: 1,
  });
  expect(found.lossPValue).toBeLessThan(0.001);
});
