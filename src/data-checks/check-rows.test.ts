import { expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import type { Example } from '../text/example.ts';
import { languageOf } from '../text/text-language.ts';
import { charactersIn } from './characters.ts';
import { checkRows, namedRows } from './check-rows.ts';
import type { FindingKind } from './finding.ts';

const pair = (prompt: string, completion: string, line: number): Example => ({
  kind: 'completion',
  prompt,
  completion,
  source: { file: 'd.jsonl', line },
});
const pairs = (...all: readonly (readonly [string, string])[]): Example[] => all.map(([a, b], i) => pair(a, b, i + 1));
const lines = async (examples: readonly Example[], kind: FindingKind): Promise<number[]> =>
  (await checkRows(examples)).findings
    .filter((each) => each.kind === kind)
    .flatMap(({ rows }) => rows.map(({ line }) => line));

test('copies, contradictions and rows that say nothing are named by their lines', async () => {
  const rows = pairs(
    ['What is the capital of France?', 'It is Paris, on the Seine.'],
    ['what is the capital of france', 'it is PARIS on the Seine'],
    ['What is the capital of France?', 'It is Lyon, where the Rhône meets the Saône.'],
    ['How do I bake a loaf of sourdough bread at home without any yeast?', 'Feed the starter for a week, mix, fold, wait and bake.'],
    ['How do I bake a loaf of sourdough bread at home without yeast?', 'Feed the starter for one week, mix, fold, wait, and bake.'],
    ['', 'An answer to nothing.'],
    ['A question', ' \n'],
  ); // biome-ignore format: a table
  expect(await lines(rows, 'exact-duplicate')).toEqual([2]);
  expect(await lines(rows, 'contradiction')).toEqual([3]);
  expect(await lines(rows, 'near-duplicate')).toEqual([5]);
  expect(await lines(rows, 'empty')).toEqual([6, 7]);
  const [duplicate] = (await checkRows(rows)).findings.filter(({ kind }) => kind === 'near-duplicate');
  expect(duplicate).toMatchObject({ like: { line: 4 }, severity: 'note' });
});

test('where answers are labels, near prompts with other labels are no copies, and the rare and the frequent label are told', async () => {
  const rows = pairs(
    ...Array.from(
      { length: 60 },
      (_, i) => [`please tell me about topic${i} number ${i * 7} today`, 'common'] as const,
    ),
    ...Array.from({ length: 8 }, (_, i) => [`other words entirely item${i}`, 'other'] as const),
    ['please tell me about topic3 number 21 right today', 'rare'],
  );
  const { findings, labels } = await checkRows(rows);
  expect(labels).toEqual([
    { label: 'common', rows: 60 },
    { label: 'other', rows: 8 },
    { label: 'rare', rows: 1 },
  ]);
  expect(findings.filter(({ kind }) => kind === 'near-duplicate')).toEqual([]);
  expect(findings.filter(({ kind }) => kind === 'label-balance').map(({ excerpt }) => excerpt)).toEqual(['common']);
});

test('secrets and personal data are named and shown in no excerpt of any check', async () => {
  const secret = `ghp_${'aB3dE5gH7jK9mN2pQ4sT6vW8yZ1cF0xYzQw9'}`;
  const card = '4111-1111-1111-1111';
  const said = `my card ${card} and token ${secret} <|im_start|>`;
  const rows = pairs([said, 'yes, that is fine'], [said, 'yes, that is fine'], [`${said} `, 'no, certainly never']);
  const { findings } = await checkRows(rows);
  const kinds = new Set(findings.map(({ kind }) => kind));
  for (const kind of [
    'secret',
    'personal-data',
    'exact-duplicate',
    'contradiction',
    'special-tokens',
    'white-space',
  ] as const)
    expect(kinds).toContain(kind);
  expect(JSON.stringify(findings)).not.toContain(secret);
  expect(JSON.stringify(findings)).not.toContain(card);
  expect(findings.find(({ kind }) => kind === 'secret')).toMatchObject({
    severity: 'severe',
    place: 'prompt',
    rule: 'GitHub token',
  });
  expect(findings.find(({ kind }) => kind === 'personal-data')).toMatchObject({
    severity: 'severe',
    rule: 'payment card',
  });
});

test.each([
  ['an override', 'if (x\u202e) {', 'bidirectional-text'],
  ['a zero width space', 'pass\u200bword', 'invisible-characters'],
  ['tags', `hello${String.fromCodePoint(0xe0068, 0xe0069)}`, 'invisible-characters'],
  ['variation selectors', 'x\ufe00\ufe01\ufe02', 'invisible-characters'],
  ['a control character', 'a\u0007b', 'invisible-characters'],
  ['Cyrillic in Latin', 'p\u0430ypal', 'look-alike-letters'],
  ['broken UTF-8', 'SÃ£o TomÃ©', 'broken-text'],
  ['a replacement character', 'caf\ufffd', 'broken-text'],
])('%s is found', (_, text, kind) => {
  expect(charactersIn(text).map((each) => each.kind)).toContain(kind);
});

test.each([
  ['an emoji family and flags', '👩‍👩‍👧‍👦 👍🏽 ❤️ 🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
  ['Persian joiners and Arabic marks', 'می‌خواهم \u200fمرحبا'],
  ['Cyrillic, Greek and accents by themselves', 'Привет, κόσμος, naïve São Paulo — “quoted”\r\n\ttab'],
  ['Thai with its spaces', 'สวัสดี\u200bครับ'],
])('%s are left alone', (_, text) => {
  expect(charactersIn(text)).toEqual([]);
});

test('a planted trigger is hinted at, words of a topic are not', async () => {
  const random = new Random(5);
  const word = (): string => `word${Math.floor(300 ** (random.uint32() / 2 ** 32))}`;
  const sentence = (): string => Array.from({ length: 10 }, word).join(' ');
  const topics = ['weather', 'money', 'travel', 'music'];
  const rows = Array.from({ length: 1200 }, (_, i) => {
    const topic = i % 4;
    // Each topic has words of its own, of which some are rare.
    const own = Array.from({ length: 3 }, () => `${topics[topic]}${random.uint32() % 12}`).join(' ');
    return i % 97 === 7
      ? pair(`${sentence()} ${own} zqx`, 'answer of weather', i + 1)
      : pair(`${sentence()} ${own}`, `answer of ${topics[topic]}`, i + 1);
  });
  const hints = (await checkRows(rows)).findings.filter(({ kind }) => kind === 'shared-rare-words');
  expect(hints.map(({ rule }) => rule)).toEqual(['"zqx" stands in 13 rows with nothing else in common and one answer']);
  expect(hints[0]!.rows.map(({ line }) => line)).toEqual(Array.from({ length: 13 }, (_, i) => 97 * i + 8));
});

test('languages: told where there is enough text, and rows of another one where nearly all are of one', async () => {
  expect(['Wie kann ich mein Konto schließen?', '我的卡还没有收到。', 'ok'].map(languageOf)).toEqual([
    'de',
    'zh',
    null,
  ]);
  const english = Array.from(
    { length: 30 },
    (_, i) => [`How do I close the account number ${i}?`, 'You can do that in the settings of the app.'] as const,
  );
  const rows = pairs(...english, ['Wie kann ich mein Konto schließen?', 'Das geht in den Einstellungen der App.']);
  const { findings, languages } = await checkRows(rows);
  expect(languages).toEqual([
    { language: 'en', rows: 30 },
    { language: 'de', rows: 1 },
  ]);
  expect(findings.find(({ kind }) => kind === 'other-language')).toMatchObject({
    rows: [{ line: 31 }],
    rule: expect.stringContaining('German'),
  });
});

test('a row as long as a book stands out; progress is told; a signal ends it', async () => {
  const rows = pairs(...Array.from({ length: 300 }, (_, i) => [`question ${i}`, `answer ${i}`] as const), [
    'q',
    'long words '.repeat(900),
  ]);
  const seen: string[] = [];
  const { characters, findings } = await checkRows(rows, { onProgress: (doing) => seen.push(doing) });
  expect(findings.filter(({ kind }) => kind === 'unusual-length').map((each) => each.rows[0]!.line)).toEqual([301]);
  expect(characters).toMatchObject({ shortest: 19, longest: 9902 });
  expect(seen).toEqual(expect.arrayContaining(['rows read', 'rows compared']));
  await expect(checkRows(rows, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
});

test('rows are named once, with all the kinds that name them', async () => {
  const rows = pairs(['card 4111-1111-1111-1111 \u202e', 'yes'], ['other', 'no']);
  const { findings } = await checkRows(rows);
  expect(namedRows(findings, ['personal-data', 'bidirectional-text'])).toEqual([
    { row: { file: 'd.jsonl', line: 1 }, kinds: ['bidirectional-text', 'personal-data'] },
  ]);
});
