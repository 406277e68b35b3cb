/** Files for the viewers of others: the fields of lm_eval 0.4.13 and inspect_ai 0.3.285, whose own readers open them in bench/oracles/check_outputs.py. */
import { beforeAll, describe, expect, test } from 'vitest';
import { labelEvaluation, textEvaluation } from '../../../test/made-reports.ts';
import type { Evaluation } from '../evaluation.ts';
import { inspectFiles } from './inspect-log.ts';
import { lmEvalFiles, standardError } from './lm-eval.ts';

const facts = { task: 'banking77', date: new Date('2026-11-26T23:28:38.453Z'), version: '0.2.0' };
let labels: Evaluation;
let texts: Evaluation;
beforeAll(async () => {
  [labels, texts] = [await labelEvaluation(), await textEvaluation()];
});

describe("lm-evaluation-harness' files", () => {
  test('lie in a folder for each model, under its names', () => {
    expect(Object.keys(lmEvalFiles(labels, facts))).toEqual([
      'banking/results_2026-11-26T23-28-38.453.json',
      'banking/samples_banking77_2026-11-26T23-28-38.453.jsonl',
      'SmolLM2-135M-Instruct/results_2026-11-26T23-28-38.453.json',
      'SmolLM2-135M-Instruct/samples_banking77_2026-11-26T23-28-38.453.jsonl',
    ]);
    const named = { ...labels, models: [{ ...labels.models[0]!, name: '../a:b/c' }] };
    expect(Object.keys(lmEvalFiles(named, facts))[0]).toBe('___a__b__c/results_2026-11-26T23-28-38.453.json');
  });

  test('have its fields and hashes', () => {
    const question = { prompt: 'wie heißt „das“? 你好\n', expected: 'odd' };
    const [first] = labels.models;
    const one = {
      ...labels,
      examples: 1,
      questions: [question],
      models: [{ ...first!, answers: ['even'], results: [{ ...first!.results[0]!, score: 0, scores: [0] }] }],
    };
    const [results, samples] = Object.values(lmEvalFiles(one, facts));
    const sample = JSON.parse(samples!) as Record<string, unknown>;
    expect(Object.keys(sample)).toEqual([
      'doc_id',
      'doc',
      'target',
      'arguments',
      'resps',
      'filtered_resps',
      'filter',
      'metrics',
      'doc_hash',
      'prompt_hash',
      'target_hash',
      'exact_match',
    ]);
    expect(sample).toMatchObject({
      target: 'odd',
      resps: [['even']],
      metrics: ['exact_match'],
      exact_match: 0,
      // Of Python's json.dumps(doc, indent=2, ensure_ascii=False) and of "odd".
      doc_hash: '7e5dc531fc466852cbcb5357b4f8c775235aeb63db5013370ed5904da213debd',
      target_hash: '990cb8ebd0afb7150da453a213036a92f2c05e091df0d803e62d257ea7796c27',
    });
    expect(JSON.parse(results!)).toMatchObject({
      results: { banking77: { 'exact_match,none': 0, 'exact_match_stderr,none': 0 } },
      'n-samples': { banking77: { original: 1, effective: 1 } },
    });
  });

  test('have its standard error: 0.0272 of 164 right among 200', () => {
    expect(standardError(labels.models[0]!.results[0]!.scores)).toBeCloseTo(0.0272, 4);
  });
});

describe("inspect's logs", () => {
  interface Log {
    readonly eval: { readonly model: string; readonly metadata: { readonly doubts: readonly object[] } };
    readonly results: {
      readonly scores: readonly {
        readonly name: string;
        readonly metrics: Readonly<Record<string, { readonly value: number }>>;
      }[];
    };
    readonly samples: readonly {
      readonly target: string;
      readonly output: { readonly completion: string };
      readonly scores: Readonly<Record<string, { readonly value: string | number }>>;
    }[];
  }
  const logs = (evaluation: Evaluation): Log[] =>
    Object.values(inspectFiles(evaluation, facts)).map((text) => JSON.parse(text) as Log);

  test('say right and wrong as its scorers do, and the doubts with them', () => {
    const [ours, base] = logs(labels);
    expect([ours!.eval.model, base!.eval.model]).toEqual(['nomoat/banking', 'nomoat/SmolLM2-135M-Instruct']);
    expect(ours!.samples).toHaveLength(200);
    ours!.samples.forEach(({ output, scores, target }) => {
      expect(scores['exact']!.value).toBe(output.completion === target ? 'C' : 'I');
    });
    expect(ours!.results.scores[0]!.metrics['accuracy']!.value).toBe(0.82);
    expect(ours!.eval.metadata.doubts).toHaveLength(labels.doubts.length);
  });

  test('have graded scores as numbers, one for each metric', () => {
    const [log] = logs(texts);
    expect(log!.results.scores.map(({ name }) => name)).toEqual(['rouge-l', 'chrf', 'token-f1']);
    expect(log!.samples[0]!.scores['rouge-l']!.value).toBe(texts.models[0]!.results[0]!.scores[0]);
  });
});
