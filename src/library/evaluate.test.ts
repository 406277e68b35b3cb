import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openModel } from '../library.ts';
import { evaluate } from './evaluate.ts';

const folder = mkdtempSync(join(tmpdir(), 'nomoat-evaluate-'));
beforeAll(() => void vi.stubEnv('NOMOAT_HOME', join(folder, 'home')));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const model = 'nomoat-mini';
const write = (name: string, rows: readonly object[]): string => {
  const path = join(folder, name);
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
};
const labelled = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ prompt: `number ${i}`, completion: i % 3 === 0 ? 'yes' : 'no' }));

test('the same model twice: no difference shown, and the second time nothing is computed', async () => {
  const data = write('labels.jsonl', labelled(24));
  const asked: string[] = [];
  const options = {
    model,
    against: [model],
    data,
    maxTokens: 4,
    onProgress: ({ model: name, done }: { model: string; done: number }) => void asked.push(`${name} ${done}`),
  };
  const first = await evaluate(options);
  // All of the first model's answers, and none of the same model's once more.
  expect(asked).toHaveLength(24);
  expect(first).toMatchObject({
    version: 1,
    metrics: [{ name: 'exact', binary: true }],
    suggested: 'the expected answers are 2 labels',
    examples: 24,
    findings: { looks: 1 },
  });
  expect(first.baselines).toMatchObject([{ kind: 'majority', results: [{ metric: 'exact', score: 16 / 24 }] }]);
  expect(first.baselines[0]!.answers[0]).toBe('no');
  expect(first.models.map(({ name }) => name)).toEqual([model, `${model} (2)`]);
  expect(first.comparisons.map(({ verdict }) => verdict)).toEqual(['worse', 'no-difference-shown']);
  expect(first.verdict.join('\n')).toMatch(
    /nomoat-mini is worse than the most frequent answer: 66\.7 points below.*p < 0\.001/,
  );
  expect(first.verdict.join('\n')).toMatch(/answers of nomoat-mini did not end by themselves/);
  const again = await evaluate(options);
  expect(asked).toHaveLength(24);
  // What it took is another thing.
  const [bare, bareFirst] = [again, first].map((each) => ({
    ...each,
    models: each.models.map(({ costs, ...rest }) => rest),
  }));
  expect(bare).toEqual({ ...bareFirst, findings: { ...first.findings, looks: 2 } });
  expect([first.models[0]!.costs.computed, again.models[0]!.costs]).toEqual([24, { seconds: 0, computed: 0 }]);
});

test('what was interrupted goes on with the answers that are there, and a half written one is computed again', async () => {
  const data = write(
    'more.jsonl',
    labelled(30).map(({ completion, prompt }) => ({ prompt: `${prompt}!`, completion })),
  );
  const abort = new AbortController();
  const stopped = evaluate({
    model,
    data,
    maxTokens: 4,
    signal: abort.signal,
    onProgress: ({ done }) => done === 12 && abort.abort(),
  });
  await expect(stopped).rejects.toMatchObject({ kind: 'interrupted' });
  const [kept] = readdirSync(join(folder, 'home', 'answers')).filter((name) => name.endsWith('.answers'));
  const path = join(folder, 'home', 'answers', kept!);
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, -9));
  const computed: number[] = [];
  const report = await evaluate({ model, data, maxTokens: 4, onProgress: ({ done }) => void computed.push(done) });
  expect(report.models[0]!.answers).toHaveLength(30);
  // Those that were asked side by side when it was stopped may be there too.
  const fresh = readFileSync(path, 'utf8').split('\n').filter(Boolean).length;
  expect(fresh).toBeGreaterThanOrEqual(24 + 30);
  expect(report.findings.looks).toBe(1);
});

test('few examples, trained ones and data without answers are said', async () => {
  const few = await evaluate({ model, data: write('few.jsonl', labelled(5)), maxTokens: 2 });
  expect(few.comparisons[0]).toMatchObject({ verdict: 'too-few-examples' });
  expect(few.verdict.join('\n')).toMatch(/5 examples are too few to compare/);
  const texts = write('texts.jsonl', [{ text: 'only a text' }, { text: 'another' }]);
  await expect(evaluate({ model, data: texts })).rejects.toMatchObject({
    code: 'unusable-data',
    fault: 'has no example with an answer to compare with',
  });
  const longer = write('long.jsonl', [{ prompt: 'a', completion: 'a rather long answer with many words in it' }]);
  expect(await evaluate({ model, data: longer, maxTokens: 2 })).toMatchObject({ metrics: [{ name: 'rouge-l' }] });
  expect(await evaluate({ model, data: longer, metric: 'chrf', maxTokens: 2 })).toMatchObject({
    metrics: [{ name: 'chrf' }],
    suggested: null,
  });
});

test('the tenth look at the same test data is said', async () => {
  const data = write('looks.jsonl', labelled(3));
  for (let look = 1; look < 10; look++)
    expect((await evaluate({ model, data, maxTokens: 1 })).verdict.join('\n')).not.toMatch(/looked at/);
  expect((await evaluate({ model, data, maxTokens: 1 })).verdict.join('\n')).toMatch(/has been looked at 10 times/);
  // Other examples of the same file are other data.
  expect((await evaluate({ model, data, limit: 2, maxTokens: 1 })).findings.looks).toBe(1);
});

test('a column says what counts as one, and one that is not there is said', async () => {
  const data = write(
    'talks.jsonl',
    labelled(24).map((row, i) => ({ ...row, talk: i < 20 ? Math.floor(i / 2) : undefined })),
  );
  const { clusters } = await evaluate({ model, data, maxTokens: 1, cluster: 'talk' });
  expect(clusters).toEqual({ by: 'the column "talk"', count: 14 });
  expect((await evaluate({ model, data, maxTokens: 1, cluster: 'template' })).clusters?.count).toBe(1);
  await expect(evaluate({ model, data, maxTokens: 1, cluster: 'tlak' })).rejects.toMatchObject({
    fault: 'has no column "tlak" (`cluster`)',
  });
  const twice = write('twice.jsonl', [...labelled(3), ...labelled(3)]);
  expect((await evaluate({ model, data: twice, maxTokens: 1 })).clusters).toMatchObject({ count: 3 });
  expect((await evaluate({ model, data: twice, maxTokens: 1, cluster: 'none' })).clusters).toBeNull();
});

test('metrics are named, made of a file or given as a function, and what is none is refused before anything is computed', async () => {
  const data = write('labels-4.jsonl', labelled(4));
  const own = join(folder, 'mine.mjs');
  writeFileSync(own, 'export default (answer, expected) => answer.length > expected.length;');
  const { metrics, models } = await evaluate({ model, data, maxTokens: 2, metric: ['exact', own, () => 0.5] });
  expect(metrics.map(({ name }) => name)).toEqual(['exact', 'mine.mjs', 'own']);
  expect(models[0]!.results[2]!.score).toBe(0.5);
  const refused = (metric: string, given: object = {}) =>
    expect(evaluate({ model, data: 'not there', metric, ...given })).rejects;
  await refused('exakt').toMatchObject({
    fault: expect.stringContaining('"exakt" is none of exact'),
    remedy: 'Did you mean "exact"?',
  });
  await refused('regex').toMatchObject({ fault: 'has no pattern' });
  await refused('exact', { pattern: 'x' }).toMatchObject({ part: '`pattern`' });
  await refused('./none.mjs').toMatchObject({ fault: 'does not exist' });
  const bare = join(folder, 'bare.mjs');
  writeFileSync(bare, 'export const score = 1;');
  await refused(bare).toMatchObject({ fault: 'exports no function as its default' });
  const typed = join(folder, 'typed.ts');
  writeFileSync(typed, 'export default (answer: string): boolean => answer !== "";');
  const knowsTypes = (process.features as { typescript?: unknown }).typescript;
  if (knowsTypes)
    expect((await evaluate({ model, data, maxTokens: 2, metric: typed })).metrics[0]!.name).toBe('typed.ts');
  else await refused(typed).toMatchObject({ remedy: expect.stringContaining('22.18') });
});

test('several answers are drawn to each question, seeded, and kept by how they were drawn', async () => {
  const data = write(
    'drawn.jsonl',
    labelled(6).map(({ completion, prompt }) => ({ prompt: `say ${prompt}`, completion })),
  );
  const asked: number[] = [];
  const options = {
    model,
    data,
    maxTokens: 6,
    metric: 'exact',
    samples: 3,
    temperature: 1,
    onProgress: ({ done }: { done: number }) => void asked.push(done),
  };
  const { models } = await evaluate(options);
  expect(asked).toHaveLength(18);
  const { samples } = models[0]!;
  expect(samples!.map((draws) => draws.length)).toEqual([3, 3, 3, 3, 3, 3]);
  expect(samples!.some((draws) => new Set(draws).size > 1)).toBe(true);
  expect(models[0]!.answers).toEqual(samples!.map(([first]) => first));
  // One more draw computes one more; another seed and another temperature all of them.
  expect((await evaluate({ ...options, samples: 4 })).models[0]!.samples!.map((draws) => draws.slice(0, 3))).toEqual(
    samples,
  );
  expect(asked).toHaveLength(18 + 24);
  const computed = async (given: object): Promise<number> =>
    (await evaluate({ ...options, ...given })).models[0]!.costs.computed;
  expect([
    await computed({ samples: 2 }),
    await computed({ seed: 7 }),
    await computed({ temperature: 0.5 }),
    await computed({ samples: 1, temperature: 0 }),
  ]).toEqual([0, 18, 18, 6]);
  await expect(evaluate({ ...options, temperature: 0 })).rejects.toMatchObject({ part: '`samples`' });
});

test('labels by likelihood and the loss of the expected answers, which are kept as answers are', async () => {
  const data = write(
    'likely.jsonl',
    labelled(24).map(({ completion, prompt }) => ({ prompt: `${prompt}?`, completion })),
  );
  const asked: string[] = [];
  const options = {
    model,
    against: [model],
    data,
    metric: ['label-likelihood', 'label-likelihood-norm'],
    loss: true,
    onProgress: ({ model: name, total }: { model: string; total: number }) => void asked.push(`${name} of ${total}`),
  };
  const first = await evaluate(options);
  // 24 questions with two labels each; the expected answers are among them.
  expect(asked).toEqual(new Array(48).fill('nomoat-mini, likelihoods of 48'));
  const [own, other] = first.models;
  expect(own!.results.map(({ metric }) => metric)).toEqual(options.metric);
  expect(own!.results[0]!.scores).toEqual(
    own!.answers.map((answer, i) => Number(answer === first.questions[i]!.expected)),
  );
  expect(new Set([...own!.answers, 'yes', 'no']).size).toBe(2);
  expect(own!.calibration!.bins.reduce((sum, { count }) => sum + count, 0)).toBe(24);
  expect(other!.results[0]!.scores).toEqual(own!.results[0]!.scores);
  expect(first.baselines[0]!.results[0]!.score).toBe(16 / 24);
  const [losses] = first.losses!.models;
  expect(losses!.perplexity).toBeCloseTo(Math.exp(losses!.loss), 12);
  expect(first.losses!.comparisons).toMatchObject([{ difference: 0, verdict: 'no-difference-shown' }]);
  // As one after the other: the same questions' scores.
  await using opened = await openModel({ model });
  const { logProbability } = await opened.score([
    { role: 'user', content: 'number 0?' },
    { role: 'assistant', content: 'yes' },
  ]);
  expect(losses!.examples[0]!.nats).toBeCloseTo(-logProbability, 1);
  expect((await evaluate({ ...options, loss: false })).losses).toBeNull();
  expect(asked).toHaveLength(48);
  const texts = write(
    'texts.jsonl',
    Array.from({ length: 300 }, (_, i) => ({ prompt: 'p', completion: `text ${i}` })),
  );
  await expect(evaluate({ model, data: texts, metric: 'label-likelihood' })).rejects.toThrow(
    /expects 300 different answers, not 2 to 200/,
  );
});

test('standard tasks: options by likelihood and texts up to what ends them, beside another model, kept', async () => {
  const tasks = join(import.meta.dirname, '../../test/fixtures/tasks');
  const asked: number[] = [];
  const options = {
    model,
    against: [model],
    task: 'piqa' as const,
    data: join(tasks, 'piqa'),
    onProgress: ({ total }: { total: number }) => void asked.push(total),
  };
  const first = await evaluate(options);
  expect(asked).toEqual(new Array(10).fill(10));
  expect(first).toMatchObject({
    examples: 5,
    suggested: 'piqa, 0 examples before each question',
    metrics: [{ name: 'acc', binary: true }, { name: 'acc_norm' }],
  });
  expect(first.comparisons.map(({ metric, verdict }) => [metric, verdict])).toEqual([
    ['acc', 'too-few-examples'],
    ['acc_norm', 'too-few-examples'],
  ]);
  const [own] = first.models;
  expect(own!.results[0]!.scores).toEqual(
    own!.answers.map((answer, i) => Number(answer === first.questions[i]!.expected)),
  );
  expect(own!.calibration!.bins.reduce((sum, { count }) => sum + count, 0)).toBe(5);
  const again = await evaluate({ ...options, limit: 3 });
  expect([asked.length, again.examples, again.models[0]!.costs.computed]).toEqual([10, 3, 0]);
  // Two examples before each question are another prompt.
  await evaluate({ ...options, shots: 2 });
  expect(asked.length).toBe(20);
  const texts = await evaluate({ model, task: 'gsm8k', data: join(tasks, 'gsm8k'), shots: 0, limit: 2 });
  expect(texts.models[0]!.answers.every((answer) => !answer.includes('Question:'))).toBe(true);
  expect(
    (await evaluate({ model, task: 'gsm8k', data: join(tasks, 'gsm8k'), shots: 0, limit: 2 })).models[0]!.costs
      .computed,
  ).toBe(0);
  await expect(evaluate({ ...options, metric: 'exact' })).rejects.toThrow(/`metric`: is of no use with the task piqa/);
  await expect(evaluate({ ...options, reworded: true })).rejects.toThrow(/`reworded`: is of no use with the task piqa/);
  const program = write('HumanEval.jsonl', [
    { prompt: 'def one():\n', entry_point: 'one', test: 'def check(candidate):\n    assert candidate() == 1' },
  ]);
  await expect(evaluate({ model, task: 'humaneval', data: program })).rejects.toThrow(
    /humaneval: scores programs that the model writes.*`runCode: true` runs them/,
  );
  await expect(evaluate({ ...options, task: null, runCode: true })).rejects.toThrow(
    /`runCode`: is of no use without a task/,
  );
  await expect(evaluate({ ...options, runCode: true })).rejects.toThrow(/`runCode`: is of no use with piqa/);
  await expect(evaluate({ ...options, task: 'none' as never })).rejects.toThrow(/"none" is none of arc_easy/);
});
