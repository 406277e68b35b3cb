import { expect, test } from 'vitest';
import { majorityAnswer } from './baselines.ts';
import { type Answered, evaluateAnswers } from './evaluate-answers.ts';
import { byConversation, byTemplate, templateOf } from './group-examples.ts';
import { type Metric, metricOf } from './metrics/metric.ts';
import { ownMetric } from './metrics/own-metric.ts';
import { patternMetric } from './metrics/pattern.ts';
import { randomNumbers } from './statistics/resampling.ts';
import { type Clusters, type TestQuestion, testSetOf } from './test-set.ts';

const questionsOf = (expected: readonly string[]): TestQuestion[] =>
  expected.map((text, i) => ({ ask: { prompt: `question ${'x'.repeat(i)}` }, expected: text }));
const answered = (name: string, texts: readonly string[]): Answered => ({
  name,
  answers: texts.map((text) => ({ text, ended: true })),
  costs: { seconds: 0, computed: texts.length },
});

interface Given {
  readonly expected: readonly string[];
  readonly models: Readonly<Record<string, readonly string[]>>;
  readonly metrics?: readonly Metric[];
  readonly clusters?: Clusters;
}

const evaluated = ({ clusters, expected, metrics = [metricOf('exact')], models }: Given) => {
  const test = testSetOf(questionsOf(expected), { clusters: clusters ?? null });
  return evaluateAnswers({
    test,
    metrics,
    suggested: null,
    models: Object.entries(models).map(([name, texts]) => answered(name, texts)),
    baselines: [majorityAnswer(test)],
    findings: {},
  });
};

/** Labels, and answers of which this share is right. */
const labels = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 'yes' : 'no'));
const rightly = (share: number, seed: number): string[] => {
  const random = randomNumbers(seed);
  return labels.map((label) => (random() < share ? label : 'maybe'));
};

test('a baseline that beats the model is said first', async () => {
  const { verdict } = await evaluated({ expected: labels, models: { tuned: rightly(0.2, 1), base: rightly(0.1, 2) } });
  expect(verdict[0]).toMatch(/^tuned is worse than the most frequent answer: /);
});

test('clusters widen intervals, change the test, and count as the examples that are there', async () => {
  // Right or wrong by whole conversations of five.
  const tuned = labels.map((label, i) => (Math.floor(i / 5) % 4 < 3 ? label : 'maybe'));
  const base = labels.map((label, i) => (Math.floor(i / 5) % 4 < 2 ? label : 'maybe'));
  const alone = await evaluated({ expected: labels, models: { tuned, base } });
  const names = labels.map((_, i) => String(Math.floor(i / 5)));
  const together = await evaluated({
    expected: labels,
    models: { tuned, base },
    clusters: { by: 'the column "talk"', names },
  });
  const [plain, grouped] = [alone, together].map(
    ({ comparisons }) => comparisons.find(({ second }) => second === 'base')!,
  );
  expect([plain!.test, plain!.verdict]).toEqual(['mcnemar', 'better']);
  expect(grouped!.test).toBe('permutation');
  expect(grouped!.pValue).toBeGreaterThan(plain!.pValue * 100);
  const width = ([low, high]: readonly [number, number]): number => high - low;
  expect(width(grouped!.interval)).toBeGreaterThan(1.5 * width(plain!.interval));
  expect(width(together.models[0]!.results[0]!.interval)).toBeGreaterThan(
    1.5 * width(alone.models[0]!.results[0]!.interval),
  );
  expect(together.clusters).toEqual({ by: 'the column "talk"', count: 20 });
  expect(together.verdict.join('\n')).toContain(
    'The 100 examples count as 20: those that share the column "talk" belong together.',
  );
  const few = labels.map((_, i) => String(Math.floor(i / 20)));
  const tooFew = await evaluated({ expected: labels, models: { tuned, base }, clusters: { by: 'x', names: few } });
  expect(tooFew.comparisons[1]!.verdict).toBe('too-few-examples');
  expect(tooFew.verdict.join('\n')).toMatch(/100 examples in 5 clusters are too few/);
});

test('several metrics are compared together, each with its own test, and those that tie are said', async () => {
  const metrics = ['exact', 'macro-f1', 'chrf'].map((name) => metricOf(name as 'exact'));
  const models = { tuned: rightly(0.9, 1), twin: rightly(0.9, 2), base: rightly(0.2, 3) };
  const { comparisons, models: found, ties, verdict } = await evaluated({ expected: labels, metrics, models });
  expect(comparisons.map(({ metric, second, test: made }) => [metric, second, made])).toEqual(
    [
      ['exact', 'mcnemar'],
      ['macro-f1', 'permutation'],
      ['chrf', 'permutation'],
    ].flatMap(([metric, made]) => ['the most frequent answer', 'twin', 'base'].map((second) => [metric, second, made])),
  );
  // Of nine p-values, the smallest counts nine times.
  const least = comparisons.reduce((a, b) => (b.pValue < a.pValue ? b : a));
  expect(least.adjustedPValue).toBeCloseTo(9 * least.pValue, 12);
  expect(found[0]!.results[1]!.score).toBeCloseTo(found[0]!.labels!.macroF1, 12);
  expect(ties.map(({ metric, sets }) => [metric, sets[0]])).toEqual(
    metrics.map(({ name }) => [name, expect.arrayContaining(['tuned', 'twin'])]),
  );
  expect(verdict.join('\n')).toMatch(/Statistically tied by exact: (tuned, twin|twin, tuned)/);
  expect(verdict.join('\n')).toMatch(/tuned is better than base by macro-f1/);
});

test('a pattern takes what is to be the expected answer, or has to match', async () => {
  const texts = labels.map((label, i) => (i < 80 ? `So the answer is: ${label} .` : 'I do not know'));
  const score = async (pattern: string): Promise<number> =>
    (await evaluated({ expected: labels, metrics: [patternMetric(pattern)], models: { m: texts } })).models[0]!
      .results[0]!.score;
  expect(await score('answer is: (.*)\\.')).toBeCloseTo(0.8, 12);
  expect(await score('answer is: (yes)')).toBeCloseTo(0.4, 12);
  expect(await score('do not know$')).toBeCloseTo(0.2, 12);
  expect(() => patternMetric('(')).toThrow(/is no regular expression/);
  expect(() => patternMetric(null)).toThrow(/has no pattern/);
});

test('a function of one’s own scores; what is no score is said with the answer', async () => {
  const models = { tuned: rightly(0.9, 1), base: rightly(0.5, 2) };
  const right = ownMetric('mine', async (answer, expected) => answer === expected);
  const { comparisons, metrics } = await evaluated({ expected: labels, metrics: [right], models });
  expect([metrics[0]!.binary, comparisons[0]!.test]).toEqual([true, 'mcnemar']);
  const half = ownMetric('half', (answer, expected) => (answer === expected ? 1 : 0.5));
  expect((await evaluated({ expected: labels, metrics: [half], models })).comparisons[0]!.test).toBe('permutation');
  for (const [given, fault] of [
    [2, 'gave 2 for the answer'],
    [Number.NaN, 'gave NaN'],
    ['x', 'gave x'],
  ] as const)
    await expect(
      evaluated({ expected: labels, metrics: [ownMetric('odd', () => given as number)], models }),
    ).rejects.toMatchObject({ part: 'the metric odd', fault: expect.stringContaining(fault) });
  const broken = ownMetric('broken', () => {
    throw new Error('no such field');
  });
  await expect(evaluated({ expected: labels, metrics: [broken], models })).rejects.toMatchObject({
    fault: 'failed: no such field',
  });
});

test('JSON is reported by validity and by fields', async () => {
  const expected = labels.map((_, i) => JSON.stringify({ a: i, b: 'x' }));
  const texts = expected.map((text, i) => (i % 4 === 0 ? text : i % 4 === 1 ? `{"a": ${i}, "c": 1}` : 'no'));
  const { models } = await evaluated({
    expected,
    metrics: [metricOf('json'), metricOf('json-valid')],
    models: { m: texts },
  });
  expect(models[0]!.json).toEqual({ valid: 0.5, fields: 0.375, extra: 25 });
  expect(models[0]!.results.map(({ score }) => score)).toEqual([0.375, 0.5]);
});

test('examples are grouped by how their conversations begin, and by template', async () => {
  const talk = (first: string, more: readonly string[]): TestQuestion => ({
    ask: { messages: [first, ...more].map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content })) },
    expected: 'x',
  });
  const grouped = byConversation([talk('a', []), talk('a', ['b', 'c']), talk('d', [])])!;
  expect(new Set(grouped.names).size).toBe(2);
  expect(byConversation([talk('a', []), talk('b', [])])).toBeNull();
  expect(templateOf('Is 12.5 more than "two"?')).toBe('Is # more than #?');
  const numbered = Array.from(
    { length: 30 },
    (_, i): TestQuestion => ({ ask: { prompt: `${i} plus ${i + 1}?` }, expected: String(2 * i + 1) }),
  );
  expect(new Set(byTemplate(numbered).names).size).toBe(1);
  const test = testSetOf(numbered);
  const { doubts } = await evaluateAnswers({
    test,
    metrics: [metricOf('exact')],
    suggested: null,
    models: [
      answered(
        'm',
        numbered.map(({ expected }) => expected),
      ),
    ],
    baselines: [],
    findings: {},
  });
  expect(doubts).toMatchObject([{ code: 'few-templates', figures: { templates: 1, examples: 30 } }]);
});

test('of several drawn answers an example has their mean, and the report at least one and all of k', async () => {
  const test = testSetOf(questionsOf(labels));
  // Of four draws, the first is right of all, the second of half, the others of none.
  const draws = [1, 0.5, 0, 0].map((share) =>
    labels.map((label, i) => ({ text: i < share * labels.length ? label : 'maybe', ended: true })),
  );
  const model: Answered = { name: 'm', answers: draws[0]!, samples: draws, costs: { seconds: 0, computed: 0 } };
  const given = { test, suggested: null, models: [model], baselines: [majorityAnswer(test)], findings: {} };
  const { comparisons, metrics, models } = await evaluateAnswers({
    ...given,
    metrics: [metricOf('exact'), metricOf('chrf'), ownMetric('mine', (answer, expected) => answer === expected)],
  });
  const [exact] = models[0]!.results;
  expect([exact!.scores[0], exact!.scores[99], exact!.score]).toEqual([0.5, 0.25, 0.375]);
  expect(metrics[0]!.binary).toBe(false);
  expect(comparisons[0]!.test).toBe('permutation');
  expect(models[0]!.samples![0]).toEqual(['yes', 'yes', 'maybe', 'maybe']);
  expect(models[0]!.passes!.map(({ metric }) => metric)).toEqual(['exact', 'mine']);
  // Of half 2 of 4 are right, of half 1 of 4: at least one of two is 5/6 and 1/2, both of two 1/6 and 0.
  const [, two, , four] = models[0]!.passes![0]!.shares;
  expect([two!.any, two!.all]).toEqual([expect.closeTo(2 / 3, 12), expect.closeTo(1 / 12, 12)]);
  expect(two!.anyInterval[0]).toBeLessThan(2 / 3);
  expect([four!.any, four!.all]).toEqual([1, 0]);
});

test('macro F1 of several draws is the mean of those of each, and compared draw by draw', async () => {
  const test = testSetOf(questionsOf(labels));
  const given = {
    test,
    metrics: [metricOf('macro-f1')],
    suggested: null,
    baselines: [majorityAnswer(test)],
    findings: {},
  };
  const model = (name: string, ...drawn: readonly (readonly string[])[]): Answered => {
    const samples = drawn.map((texts) => texts.map((text) => ({ text, ended: true })));
    return { name, answers: samples[0]!, costs: { seconds: 0, computed: 0 }, ...(drawn.length > 1 ? { samples } : {}) };
  };
  const [good, fair] = [rightly(0.9, 1), rightly(0.7, 2)];
  const figure = async (...drawn: readonly (readonly string[])[]) => {
    const { comparisons, models } = await evaluateAnswers({ ...given, models: [model('m', ...drawn)] });
    return { ...models[0]!, result: models[0]!.results[0]!, comparison: comparisons[0]! };
  };
  const [both, first, second] = [await figure(good, fair), await figure(good), await figure(fair)];
  expect(both.result.score).toBeCloseTo((first.result.score + second.result.score) / 2, 12);
  expect(both.result.interval[0]).toBeGreaterThan(second.result.interval[0]);
  expect(both.passes).toEqual([]);
  expect(both.comparison).toMatchObject({ test: 'permutation', verdict: 'better' });
  expect(both.comparison.difference).toBeCloseTo((first.comparison.difference + second.comparison.difference) / 2, 12);
  // The same answer drawn twice is that answer.
  expect((await figure(good, good)).comparison).toEqual(first.comparison);
});

test('repeats of a training: a verdict that holds over seeds, with their noise told from the effect', async () => {
  const test = testSetOf(questionsOf(labels));
  const base = answered('base', rightly(0.5, 9));
  const given = { test, metrics: [metricOf('exact')], suggested: null, baselines: [], findings: {} };
  const repeats = (name: string, shares: readonly number[]): Answered => {
    const seeds = shares.map((share, i) => [rightly(share, i).map((text) => ({ text, ended: true }))]);
    return { name, answers: seeds[0]![0]!, seeds, costs: { seconds: 0, computed: 0 } };
  };
  const steady = await evaluateAnswers({ ...given, models: [repeats('tuned', [0.95, 0.95, 0.95]), base] });
  expect(steady.comparisons[0]).toMatchObject({ test: 'seeds', verdict: 'better' });
  expect(steady.verdict.join('\n')).toMatch(
    /tuned is better than base: .* Of its uncertainty, \d+\.\d in a hundred is noise of seeds\./,
  );
  // One seed as good as never, one as base: their mean is well above it, and says nothing of the next seed.
  const moody = await evaluateAnswers({ ...given, models: [repeats('tuned', [1, 1, 0.4]), base] });
  expect(moody.comparisons[0]).toMatchObject({ test: 'seeds', verdict: 'no-difference-shown', examplesNeeded: null });
  expect(moody.comparisons[0]!.difference).toBeGreaterThan(0.2);
  const { deviation, means, scores } = moody.models[0]!.results[0]!.seeds!;
  expect([means.length, scores.length, means[0]]).toEqual([3, 3, 1]);
  expect(deviation).toBeGreaterThan(0.25);
  expect(moody.comparisons[0]!.noise!.seeds).toBeGreaterThan(3 * moody.comparisons[0]!.noise!.examples);
  // The same answers once: a single run of that score would have been called better.
  const single = await evaluateAnswers({ ...given, models: [answered('tuned', rightly(0.8, 1)), base] });
  expect(single.comparisons[0]!.verdict).toBe('better');
});

test('repeats may draw several answers each, and be compared by macro F1', async () => {
  const test = testSetOf(questionsOf(labels));
  const base = answered('base', rightly(0.5, 9));
  const given = { test, suggested: null, baselines: [], findings: {} };
  const draw = (share: number, seed: number) => rightly(share, seed).map((text) => ({ text, ended: true }));
  const of = (name: string, seeds: Answered['seeds'] & {}): Answered => ({
    name,
    answers: seeds[0]![0]!,
    seeds,
    costs: { seconds: 0, computed: 0 },
  });
  const drawn = of(
    'tuned',
    [0, 1, 2].map((seed) => [draw(0.9, seed), draw(0.7, seed + 5)]),
  );
  const exact = await evaluateAnswers({ ...given, metrics: [metricOf('exact')], models: [drawn, base] });
  const { scores, seeds } = exact.models[0]!.results[0]!;
  const right = (answers: readonly { text: string }[], i: number): number => Number(answers[i]!.text === labels[i]);
  // Of each repeat the mean of its two draws, and of all the mean of the repeats.
  expect([seeds!.draws, seeds!.means.length]).toEqual([2, 3]);
  for (const i of [0, 17, 99]) {
    const own = drawn.seeds!.map((draws) => (right(draws[0]!, i) + right(draws[1]!, i)) / 2);
    expect(seeds!.scores.map((each) => each[i])).toEqual(own);
    expect(scores[i]).toBeCloseTo((own[0]! + own[1]! + own[2]!) / 3, 12);
  }
  expect(exact.comparisons[0]).toMatchObject({ test: 'seeds', verdict: 'better' });
  // pass@1 is the score, noise of seeds included, and at least one of two is right more often than each.
  const [one, two] = exact.models[0]!.passes![0]!.shares;
  const { interval, score } = exact.models[0]!.results[0]!;
  expect([one!.any, one!.all]).toEqual([expect.closeTo(score, 12), expect.closeTo(score, 12)]);
  expect(one!.anyInterval).toEqual(interval.map((end) => expect.closeTo(end, 12)));
  expect(two!.any).toBeGreaterThan(score);
  expect(two!.any + two!.all).toBeCloseTo(2 * score, 12);
  expect(exact.models[1]!.passes).toBeNull();

  const macro = { ...given, metrics: [metricOf('macro-f1')] };
  const several = (await evaluateAnswers({ ...macro, models: [drawn, base] })).models[0]!.results[0]!;
  const half = (draw: 0 | 1) =>
    evaluateAnswers({
      ...macro,
      models: [
        of(
          'half',
          drawn.seeds!.map((own) => [own[draw]!]),
        ),
        base,
      ],
    });
  const halves = [await half(0), await half(1)].map(({ models }) => models[0]!.results[0]!.score);
  expect(several.score).toBeCloseTo((halves[0]! + halves[1]!) / 2, 12);
  expect(several.seeds).toMatchObject({ draws: 2, right: null });
  const alone = async (share: number, seed: number) =>
    (await evaluateAnswers({ ...macro, models: [answered('m', rightly(share, seed))] })).models[0]!.results[0]!;
  const steady = [0, 1, 2].map((seed) => [draw(0.9, seed)]);
  const found = await evaluateAnswers({ ...macro, models: [of('tuned', steady), base] });
  const singles = await Promise.all([0, 1, 2].map((seed) => alone(0.9, seed)));
  const result = found.models[0]!.results[0]!;
  expect(result.seeds!.means).toEqual(singles.map(({ score }) => score));
  expect(result.score).toBeCloseTo((singles[0]!.score + singles[1]!.score + singles[2]!.score) / 3, 12);
  expect(result.interval[0]).toBeLessThan(result.score);
  // Three repeats that are as good as each other are surer than one of them, and not by much more than chance allows.
  const width = ([low, high]: readonly [number, number]): number => high - low;
  expect(width(result.interval)).toBeLessThan(1.5 * width(singles[0]!.interval));
  const [comparison] = found.comparisons;
  expect(comparison).toMatchObject({ test: 'seeds', verdict: 'better' });
  expect(comparison!.difference).toBeCloseTo(result.score - found.models[1]!.results[0]!.score, 12);
  const moody = of(
    'tuned',
    [1, 1, 0.4].map((share, seed) => [draw(share, seed)]),
  );
  const unsure = await evaluateAnswers({ ...macro, models: [moody, base] });
  expect(unsure.comparisons[0]!.verdict).toBe('no-difference-shown');
  expect(unsure.comparisons[0]!.noise!.seeds).toBeGreaterThan(3 * unsure.comparisons[0]!.noise!.examples);
});

test('bad input is said first: one class, training data alone, too few examples, a model that never stops', async () => {
  const same = labels.map(() => 'yes');
  const oneClass = await evaluated({ expected: same, models: { m: same } });
  expect(oneClass.verdict[0]).toMatch(/^All 100 examples expect the same answer/);
  // Who is always right is not called better than who always says it, and nothing is said of differences that nobody saw.
  expect(oneClass.comparisons[0]!.verdict).toBe('no-difference-shown');
  expect(oneClass.verdict[1]).toMatch(/p = 1\.000\. Both have the same score on every example\.$/);
  const test = testSetOf(questionsOf(labels));
  const given = { test, metrics: [metricOf('exact')], suggested: null, baselines: [] };
  const learnt = await evaluateAnswers({
    ...given,
    models: [answered('m', labels)],
    findings: { trainedOn: 100, looks: 10 },
  });
  expect(learnt.verdict[0]).toBe('All 100 test examples were trained on: nothing here says how new ones are answered.');
  expect(learnt.verdict[1]).toMatch(/^This test data has been looked at 10 times/);
  const few = await evaluateAnswers({
    ...given,
    test: testSetOf(questionsOf(labels.slice(0, 19))),
    models: [answered('m', labels.slice(0, 19))],
    findings: {},
  });
  expect(few.doubts[0]).toMatchObject({ code: 'few-examples', severity: 'severe' });
  const cut = labels.map((text) => ({ text, ended: false }));
  const never = await evaluateAnswers({ ...given, models: [{ ...answered('m', labels), answers: cut }], findings: {} });
  expect(never.verdict[0]).toMatch(/^No answer of m ended by itself/);
  const mostly = await evaluateAnswers({
    ...given,
    models: [{ ...answered('m', labels), answers: [...cut.slice(1), { text: 'x', ended: true }] }],
    findings: {},
  });
  expect(mostly.doubts.map(({ code }) => code)).toContain('unended-answers');
  expect(mostly.doubts.map(({ code }) => code)).not.toContain('never-ends');
});
