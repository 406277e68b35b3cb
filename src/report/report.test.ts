/** The report as text: what it says first, in both languages, and that nothing of a data set becomes markup. In a browser: test/story/report-pages.test.ts. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  fullEvaluation,
  labelEvaluation,
  madeLineage,
  reportedRun,
  runEvents,
  textEvaluation,
} from '../../test/made-reports.ts';
import type { Evaluation } from '../evaluate/evaluation.ts';
import type { RunEvent } from '../events.ts';
import { renderReport } from '../run/report.ts';
import type { ReportContent } from './content.ts';
import { withDifferences } from './differences.ts';
import { headlineOf } from './headline.ts';
import { lineageTree } from './lineage-tree.ts';
import { renderPage } from './page.ts';
import { dark, light } from './palette.ts';
import { plotData, thinned } from './plot.ts';
import { chosenExamples, outcomesOf } from './sections/choose-examples.ts';
import { doubtTexts } from './words/trust.ts';
import { words } from './words.ts';

let labels: Evaluation;
let texts: Evaluation;
beforeAll(async () => {
  [labels, texts] = [await labelEvaluation(), await textEvaluation()];
});
const contentOf = (more: Partial<ReportContent>): ReportContent => ({
  run: null,
  events: [],
  evaluation: null,
  updates: null,
  repeat: { command: 'nomoat eval x', recipe: null },
  evaluate: null,
  version: '0.0.0',
  ...more,
});
const withoutScripts = (page: string): string =>
  page.replace(/<script[\s\S]*?<\/script>/g, '').replace(/<style>[\s\S]*?<\/style>/g, '');

describe('foreign text', () => {
  const attack = `"'><img src=x onerror=alert(1)></script><script>alert(2)</script><!-- </style>`;
  const attacked = <Value>(value: Value): Value =>
    JSON.parse(
      JSON.stringify(value, (key, part) =>
        typeof part === 'string' && !/^(type|state|verdict|severity|kind|code|with|metric)$/.test(key)
          ? `${part}${attack}`
          : part,
      ),
    ) as Value;

  test('stays text, wherever it stands', () => {
    const run = { ...attacked(reportedRun()), state: 'done' as const };
    const page = renderReport({ ...run, settings: { ...run.settings, method: 'lora' } }, attacked(runEvents()), {
      evaluation: { ...attacked(labels), metrics: labels.metrics },
    });
    expect(page).not.toContain('<img');
    expect(page).not.toContain('alert(2)</script>');
    expect(page.match(/<script/g)).toHaveLength(3);
    expect(page.match(/<\/script>/g)).toHaveLength(3);
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
  });

  test('a policy lets only the scripts and the style of the page be, and nothing be asked for', () => {
    const page = renderReport(reportedRun(), runEvents(), { evaluation: labels });
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(page)![1]!.replaceAll('&#39;', "'");
    const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => digest(text!));
    expect(scripts).toHaveLength(2);
    expect(policy).toBe(
      `default-src 'none'; style-src ${digest(/<style>([\s\S]*?)<\/style>/.exec(page)![1]!)}; script-src ${scripts.join(' ')}; base-uri 'none'; form-action 'none'`,
    );
    expect(withoutScripts(page)).not.toMatch(/ (src|style|on\w+)=|href="[^#]|https?:|@import|url\(/);
  });
});

describe('the first sentence', () => {
  const titleOf = (more: Partial<ReportContent>): [string, string] => {
    const { title, tone } = headlineOf(contentOf(more));
    return [tone, title.en];
  };
  const trusted = (evaluation: Evaluation): Evaluation => ({ ...evaluation, doubts: [] });

  test('says what speaks against a model before what speaks for it', async () => {
    expect(titleOf({ evaluation: trusted(labels) })).toEqual(['good', 'Better than SmolLM2-135M-Instruct']);
    expect(titleOf({ evaluation: labels })).toEqual(['doubtful', 'Better than SmolLM2-135M-Instruct, but doubtful']);
    expect(titleOf({ evaluation: trusted(await labelEvaluation(0.004)) })).toEqual(['bad', 'Beaten by the most frequent answer']);
    expect(titleOf({ evaluation: trusted(await labelEvaluation(0.12)) })).toEqual(['doubtful', 'Not shown to differ from the most frequent answer']);
    expect(titleOf({ evaluation: trusted(await labelEvaluation(0.8, 12)) })).toEqual(['doubtful', 'Too few examples to say: 12']);
    const [, base] = labels.comparisons;
    const worse = { ...trusted(labels), comparisons: [{ ...base!, verdict: 'worse' as const }] };
    expect(titleOf({ evaluation: worse })).toEqual(['bad', 'Worse than SmolLM2-135M-Instruct']);
    expect(titleOf({ evaluation: { ...trusted(labels), comparisons: [] } })[0]).toBe('open');
  });

  test('of a run without an evaluation goes by its end and its losses, and promises nothing', () => {
    const run = reportedRun();
    const fell = headlineOf(contentOf({ run, events: runEvents() }));
    expect([fell.tone, fell.title.en]).toEqual(['open', 'The held-out loss fell']);
    expect(fell.lead.en).toContain('does not show that the answers are better');
    const ends = (changes: object): RunEvent[] => runEvents().map((event) => (event.type === 'run-end' ? { ...event, ...changes } : event));
    expect(titleOf({ run, events: ends({ validationAfter: 9 }) })).toEqual(['bad', 'The held-out loss did not fall']);
    expect(titleOf({ run, events: ends({ validationBefore: null, validationAfter: null }) })[1]).toMatch(/^Nothing was held out/);
    expect(titleOf({ run: reportedRun('diverged'), events: runEvents('diverged'), evaluation: labels })[1]).toMatch(/^This run diverged/);
    expect(titleOf({ run, events: ends({ state: 'proof-failed' }), evaluation: labels })[1]).toMatch(/^Not to be trusted/);
    expect(titleOf({ run: reportedRun('running'), events: [] })[1]).toBe('This run is not finished');
  });
}); // biome-ignore format: a table

describe('the page', () => {
  test('answers in the order of the questions, and has every section whatever is known', () => {
    const order = ['result', 'answers', 'cost', 'forgotten', 'inside', 'made'];
    const pages = [
      renderReport(reportedRun(), runEvents(), { evaluation: labels }),
      renderReport(reportedRun('diverged'), runEvents('diverged')),
      renderReport(reportedRun('running'), []),
      renderPage(contentOf({ evaluation: texts })),
    ];
    for (const page of pages) {
      expect([...page.matchAll(/<section id="(\w+)"/g)].map(([, id]) => id)).toEqual(order);
      const ids = [...withoutScripts(page).matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
      expect(ids).toEqual([...new Set(ids)]);
      expect(withoutScripts(page)).not.toMatch(/undefined|NaN|\[object/);
      expect(page.length).toBeLessThan(200_000);
    }
    expect(pages[0]!.match(/<article class="example"/g)).toHaveLength(20);
  });

  test('losses, calibration, several draws, JSON and ties are shown where they were measured', async () => {
    const page = withoutScripts(renderPage(contentOf({ evaluation: await fullEvaluation() })));
    for (const text of ['Perplexity', '1.492', 'Calibration error', '8.0%', 'At least one right', 'Right fields', '3.75', 'General questions answered, of 30', 'Opinions of the model judge-7b', 'in lower case', 'What it knows by heart', '31.0%', '90.0%', 'my pin is 4711', 'nearly training examples: 1', 'Not shown to differ from one another: banking, SmolLM2-135M-Instruct.'])
      expect(page).toContain(text);
    expect(withoutScripts(renderPage(contentOf({ evaluation: labels })))).not.toMatch(/Perplexity|Calibration error|Right fields|by heart/);
  }); // biome-ignore format: assertions

  test('a run that ended with a quick look says how many of the held-out examples it saw, and how to see more', () => {
    const heldOut = { type: 'verdict', examples: 200, heldOut: 900 } as RunEvent;
    const quick = renderReport(reportedRun(), [...runEvents(), heldOut], { evaluation: labels });
    expect(quick).toContain('200 of 900 held-out examples');
    expect(quick).toContain('nomoat eval RUN');
    expect(renderReport(reportedRun(), runEvents(), { evaluation: labels })).not.toContain('nomoat eval RUN');
  });

  test('every text is there in English and in Chinese', () => {
    const all = [words.page, words.result, words.trust, words.answers, words.lineage, words.run].flatMap((table) =>
      Object.entries(table),
    );
    expect(all.length).toBeGreaterThan(150);
    const figures = new Proxy(
      {},
      { get: (_, name) => (/^(said|than|by|time|summary|model)$/.test(String(name)) ? { en: 'x', zh: '某' } : 'x') },
    );
    const isChinese = (text: string): boolean => /\p{Script=Han}/u.test(text);
    for (const [name, entry] of all) {
      const { en, zh } =
        typeof entry === 'function' ? (entry as (given: object) => { en: string; zh: string })(figures) : entry;
      if (en !== zh) expect([isChinese(en), isChinese(zh)], `${name}: ${en} / ${zh}`).toEqual([false, true]);
    }
    // Names that are the same in both.
    expect(all.flatMap(([name, entry]) => (typeof entry === 'object' && entry.en === entry.zh ? [name] : []))).toEqual([
      'none',
      'f1',
      'version',
    ]);
    const page = withoutScripts(renderReport(reportedRun(), runEvents(), { evaluation: labels }));
    expect(page.match(/class="en"/g)!.length).toBe(page.match(/class="zh"/g)!.length);
  });

  test('every doubt that can be raised is said in Chinese, with its figures', () => {
    const source = readFileSync(join(import.meta.dirname, '../evaluate/checks.ts'), 'utf8');
    const codes = [...source.matchAll(/(?:code: |said\(\s*|byHeart\()'([a-z-]+)'/g)].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(15);
    expect(Object.keys(doubtTexts).sort()).toEqual(codes.sort());
    const figures = new Proxy({}, { get: () => 7 });
    for (const [code, text] of Object.entries(doubtTexts)) {
      expect(text(figures), code).toMatch(/\p{Script=Han}/u);
      expect(text(figures), code).toMatch(/7/);
      expect(text({}), code).not.toBe(text(figures));
    }
  });

  test('colours that carry text are told apart by those who see little of them', () => {
    const luminance = (colour: string): number => {
      const [r, g, b] = [1, 3, 5]
        .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    const contrast = (a: string, b: string): number => {
      const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
      return (high! + 0.05) / (low! + 0.05);
    };
    for (const palette of [light, dark]) {
      for (const ground of ['page', 'surface', 'raised'] as const)
        for (const ink of ['text', 'muted', 'accent', 'good', 'bad', 'warn'] as const)
          expect(contrast(palette[ink], palette[ground]), `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      for (const tone of ['good', 'bad', 'warn'] as const)
        expect(contrast(palette[tone], palette[`${tone}-wash`]), tone).toBeGreaterThanOrEqual(4.5);
      // Lines of a plot: WCAG asks for 3.
      for (const series of ['series-a', 'series-b', 'series-c'] as const)
        expect(contrast(palette[series], palette.surface), series).toBeGreaterThanOrEqual(3);
    }
    expect(contrast('#ffffff', '#000000')).toBeCloseTo(21, 6);
  });
});

describe('examples', () => {
  test('each is of its kind, and of each kind some are chosen, those of the fewest first', () => {
    const kinds = outcomesOf(labels);
    const [first, base] = labels.models.map(({ results }) => results[0]!.scores);
    kinds.forEach((kind, i) => {
      expect(kind).toBe(first![i] === base![i] ? (first![i] === 1 ? 'right' : 'wrong') : first![i] === 1 ? 'gained' : 'lost');
    });
    const chosen = chosenExamples(kinds);
    expect(chosen).toHaveLength(20);
    expect(new Set(chosen).size).toBe(20);
    expect(chosen.map((i) => kinds[i])).toEqual(expect.arrayContaining(['lost', 'wrong', 'gained', 'right']));
    expect(chosenExamples(['right', 'right', 'wrong'])).toEqual([2, 0, 1]);
    expect(chosenExamples([])).toEqual([]);
  }); // biome-ignore format: assertions

  test('differences are marked word by word, in any script, and not where everything differs', () => {
    const marks = (expected: string, answer: string): [string, string] => {
      const both = withDifferences(expected, answer);
      return [both.expected.text, both.answer.text];
    };
    expect(marks('a cheap pub', 'a very cheap bar')).toEqual(['a cheap <mark>pub</mark>', 'a <mark>very</mark> cheap <mark>bar</mark>']);
    expect(marks('价格适中', '价格便宜')).toEqual(['价格<mark>适中</mark>', '价格<mark>便宜</mark>']);
    expect(marks('card_arrival', 'lost_card')).toEqual(['<mark>card_arrival</mark>', '<mark>lost_card</mark>']);
    expect(marks('same', 'same')).toEqual(['same', 'same']);
    expect(marks('<b>', '')).toEqual(['&lt;b&gt;', '']);
    const long = 'one two three four five six seven eight nine ten';
    expect(marks(long, 'nothing of that stands here at all, not one thing')[0]).toBe(long);
    expect(marks('x '.repeat(700), 'y')[0]).not.toContain('<mark>');
  }); // biome-ignore format: assertions
});

test('where an adapter comes from is drawn: each file once, below all that is made of it', () => {
  const tree = lineageTree(madeLineage);
  const rowOf = (name: string): number => tree.nodes.find((node) => node.name === name)!.row;
  expect(tree.nodes.map(({ name }) => name).sort()).toEqual([
    'an adapter with a very long name',
    'banking',
    'base.gguf',
    'both',
    'train.jsonl',
  ]);
  for (const { from, to } of tree.edges) expect(tree.nodes[to]!.row).toBeGreaterThan(tree.nodes[from]!.row);
  expect([rowOf('both'), rowOf('banking'), rowOf('base.gguf'), tree.rows, tree.width]).toEqual([0, 1, 3, 4, 2]);
  expect(tree.edges).toHaveLength(8);
  const many = lineageTree([
    { ...madeLineage[0]!, parents: [{ id: 'f'.repeat(64) }] },
    ...Array.from({ length: 40 }, (_, i) => ({ ...madeLineage[2]!, id: String(i).padStart(64, '0') })),
  ]);
  expect(many.hidden).toBe(11);
  expect(many.nodes.some(({ entry, kind, name }) => kind === 'adapter' && entry === null && name === '?')).toBe(true);
  const page = withoutScripts(renderReport(reportedRun(), runEvents(), { lineage: madeLineage }));
  expect(page.match(/<g class="(adapter|base|data)">/g)).toHaveLength(5);
  expect(page).toContain('0.7 ×');
  expect(page).toContain('<title>an adapter with a very long name (sha256 cccc');
  expect(page).toContain('an adapter with a very …');
  expect(withoutScripts(renderReport(reportedRun(), runEvents()))).not.toContain('class="lineage"');
});

test('a million points are thinned to what can be drawn, spikes and the last one kept', () => {
  const points = Array.from({ length: 1e6 }, (_, i) => [i, i === 123_456 ? 99 : 1] as const);
  const kept = thinned(points);
  expect(kept.length).toBeLessThanOrEqual(1001);
  expect(kept).toContainEqual([123_456, 99]);
  expect(kept.at(-1)).toEqual([999_999, 1]);
  const name = { en: '', zh: '' };
  const { columns } = plotData({
    id: 'x',
    title: name,
    xName: name,
    series: [
      {
        name,
        points: [
          [0, 1],
          [1, Number.NaN],
          [2, 3],
        ],
      },
      { name, points: [[1, 5]] },
    ],
  });
  expect(columns).toEqual([
    [0, 1, 2],
    [1, null, 3],
    [null, 5, null],
  ]);
});

test('a run that learnt from preferences shows both sides before and after, and draws margin and accuracy', () => {
  const figures = { count: 40, accuracy: 0.5, margin: 0, chosenReward: 0, rejectedReward: 0, chosenLogProbability: -2.5, rejectedLogProbability: -2.75 };
  const learnt = { ...figures, accuracy: 0.725, margin: 0.321, chosenReward: 0.2, rejectedReward: -0.121, chosenLogProbability: -2.625 };
  const preferred = runEvents().map((event): RunEvent => (event.type === 'step-end' || event.type === 'validation' ? { ...event, preference: event.step === 0 ? figures : learnt } : event));
  const drift: RunEvent = { type: 'answer-drift', prompts: 32, tokensBefore: 61.3, tokensAfter: 87.9, cutBefore: 4, cutAfter: 9, divergence: 0.042 };
  const page = renderReport(reportedRun(), [...preferred, drift]);
  const shown = withoutScripts(page);
  for (const text of ['Pairs the right way round', '50.0%', '72.5%', '0.321', '-0.121', '-2.625', '61.3', '87.9', '0.042', 'data-plot="margin"', 'data-plot="accuracy"'])
    expect(shown.replaceAll('−', '-')).toContain(text);
  expect(withoutScripts(renderReport(reportedRun(), runEvents()))).not.toMatch(/Pairs the right way|data-plot="margin"/);
}); // biome-ignore format: assertions
