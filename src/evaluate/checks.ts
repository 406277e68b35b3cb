/** What speaks against trust in an evaluation. A new check is a function in this list, and its finding, if it needs one, a field of `Findings`. Pure. */

import { fewestExamples } from './compare.ts';
import type { Doubt, Measured, Severity } from './evaluation.ts';
import { templateOf } from './group-examples.ts';
import { confidence } from './statistics/proportions.ts';
import type { ToldApart } from './trust/memorisation.ts';

/** Looks at everything that was measured and says what is doubtful. */
export type Check = (measured: Measured) => readonly Doubt[];

/** From this many looks at the same test data on, what is picked by them is no longer measured by them. */
const manyLooks = 10;

const order: readonly Severity[] = ['severe', 'warning', 'note'];

const trainedOn: Check = ({ examples, findings: { trainedOn: seen = 0 } }) =>
  seen === 0
    ? []
    : [
        {
          code: 'trained-on',
          severity: 'severe',
          sentence:
            seen < examples
              ? `${seen} of the ${examples} test examples were trained on: the score says that much less of new ones.`
              : `All ${examples} test examples were trained on: nothing here says how new ones are answered.`,
          figures: { seen, examples },
        },
      ];

const nearlyTrainedOn: Check = ({ examples, findings: { nearlyTrainedOn: near = [] } }) =>
  near.length === 0
    ? []
    : [
        {
          code: 'nearly-trained-on',
          severity: 'severe',
          sentence: `${near.length} of the ${examples} test examples are nearly the same as ones that were trained on, a word or two apart: what they show is remembering.`,
          figures: { near: near.length, examples },
        },
      ];

const lookedAtOften: Check = ({ findings: { looks = 0 } }) =>
  looks < manyLooks
    ? []
    : [
        {
          code: 'many-looks',
          severity: 'severe',
          sentence: `This test data has been looked at ${looks} times: what is chosen by it is no longer measured by it. Take new data for the last word.`,
          figures: { looks },
        },
      ];

const oneAnswer: Check = ({ examples, questions }) =>
  examples < 2 || new Set(questions.map(({ expected }) => expected.trim())).size > 1
    ? []
    : [
        {
          code: 'one-answer',
          severity: 'severe',
          sentence: `All ${examples} examples expect the same answer: who always gives it is right, and no score here tells a model from that.`,
          figures: { examples },
        },
      ];

/** Comparisons say it themselves; where there is none, the score is as uncertain. */
const fewExamples: Check = ({ clusters, comparisons, examples }) =>
  comparisons.length > 0 || (clusters?.count ?? examples) >= fewestExamples
    ? []
    : [
        {
          code: 'few-examples',
          severity: 'severe',
          sentence: `${clusters?.count ?? examples} ${clusters ? 'clusters' : 'examples'} are too few for a score: give at least ${fewestExamples}, better some hundred.`,
          figures: { units: clusters?.count ?? examples },
        },
      ];

/** Cut answers are scored as they are: where every one is, the score is that of the cut. */
const neverEnds: Check = ({ examples, models: [first] }) => {
  const { degenerate, name, results, samples } = first!;
  const { draws = 1, means = [] } = results[0]?.seeds ?? {};
  const answers = examples * (samples?.[0]?.length ?? Math.max(1, means.length * draws));
  return degenerate.unended < answers
    ? []
    : [
        {
          code: 'never-ends',
          severity: 'severe',
          sentence: `No answer of ${name} ended by itself: what is scored is where they were cut. Give more \`maxTokens\`, or train answers that end.`,
          figures: { answers },
        },
      ];
};

/** Of the first model alone: that others do so is the reason to train. */
const degenerateAnswers: Check = ({ examples, models: [first] }) => {
  const { echoing, empty, otherLanguage, otherScript, repeating, unended } = first!.degenerate;
  const said = (code: string, count: number, [many, one]: readonly [string, string]): Doubt[] =>
    count === 0
      ? []
      : [
          {
            code,
            severity: 'warning',
            sentence: `${count} ${count === 1 ? 'answer' : 'answers'} of ${first!.name} ${count === 1 ? one : many}.`,
            figures: { count, examples },
          },
        ];
  return [
    ...said('empty-answers', empty, ['are empty', 'is empty']),
    ...said('unended-answers', unended, ['did not end by themselves', 'did not end by itself']),
    ...said('repeating-answers', repeating, ['repeat themselves', 'repeats itself']),
    ...said('echoing-answers', echoing, ['say the question again', 'says the question again']),
    ...said('other-language-answers', otherScript + otherLanguage, [
      'are in another script or language than the expected ones',
      'is in another script or language than the expected one',
    ]),
  ];
};

/** A difference by wording is said where it is shown. */
const sensitiveToWording: Check = ({ findings: { sensitivity } }) => {
  const shown =
    sensitivity?.rewordings.filter(({ difference, pValue }) => difference < 0 && pValue < 1 - confidence) ?? [];
  if (!sensitivity || shown.length === 0) return [];
  const worst = shown.reduce((least, each) => (each.difference < least.difference ? each : least));
  const points = (value: number): string => (100 * value).toFixed(1);
  return [
    {
      code: 'sensitive-to-wording',
      severity: 'warning',
      sentence: `Asked ${worst.how}, the same ${sensitivity.examples} questions score ${points(worst.score)} instead of ${points(sensitivity.score)}: some of what was learnt is how questions are written.`,
      figures: { score: sensitivity.score, worst: worst.score, examples: sensitivity.examples },
    },
  ];
};

/** General text costs more, or general questions are answered worse, than before training. */
const forgotten: Check = ({ findings: { forgetting } }) => {
  if (!forgetting) return [];
  const { after, answersPValue, before, lossPValue, questions } = forgetting;
  const isLoss = after.loss > before.loss && lossPValue < 1 - confidence;
  const isAnswers = after.right < before.right && answersPValue < 1 - confidence;
  if (!isLoss && !isAnswers) return [];
  return [
    {
      code: 'forgotten',
      severity: 'warning',
      sentence: `It has forgotten: the loss on general text is ${after.loss.toFixed(2)} instead of ${before.loss.toFixed(2)} nats a token, and ${after.right} instead of ${before.right} of ${questions} general questions are answered.`,
      figures: { lossBefore: before.loss, lossAfter: after.loss, rightBefore: before.right, rightAfter: after.right },
    },
  ];
};

/** Standard errors from which learnt and held-out answers are told apart: one in a thousand by chance, since it is a grave thing to say. */
const apart = 3.3;
/** Bits of exposure from which a planted text is as good as known: a sixteenth of the texts are that likely. */
const exposed = 4;

/** What is said of texts that were learnt and can be told from others. */
function byHeart(code: string, [what, gives]: readonly [string, string], told: ToldApart): Doubt[] {
  const { given, separation, standardError } = told;
  if (separation - 0.5 < apart * standardError) return [];
  const percent = (value: number): string => (100 * value).toFixed(0);
  return [
    {
      code,
      severity: 'warning',
      sentence: `Training data can be told from new data by this model: training gained more on a learnt ${what} than on a held-out one ${percent(separation)} times in 100 (50 by chance), and it ${gives} ${percent(given.learnt)}% of learnt ${what}s word for word, ${percent(given.heldOut)}% of held-out ones.`,
      figures: { separation, learnt: given.learnt, heldOut: given.heldOut },
    },
  ];
}

const knownByHeart: Check = ({ findings: { memorisation } }) => {
  if (!memorisation) return [];
  const { canaries, prompts } = memorisation;
  const known = canaries.filter(({ exposure }) => exposure >= exposed).length;
  const planted: Doubt[] =
    known === 0
      ? []
      : [
          {
            code: 'canaries-known',
            severity: 'severe',
            sentence: `${known} of the ${canaries.length} canaries are among the likeliest texts of their form: whoever asks for them can get them.`,
            figures: { known, canaries: canaries.length },
          },
        ];
  return [
    ...planted,
    ...byHeart('memorised', ['answer', 'gives'], memorisation),
    ...(prompts ? byHeart('memorised-prompts', ['prompt', 'completes'], prompts) : []),
  ];
};

const withoutAnswer: Check = ({ examples, skipped }) =>
  skipped === 0
    ? []
    : [
        {
          code: 'skipped-examples',
          severity: 'note',
          sentence: `${skipped} examples without an answer were left out.`,
          figures: { skipped, examples },
        },
      ];

/** Prompts of so few kinds are no independent examples. */
const leastShareOfTemplates = 0.5;

const fewTemplates: Check = ({ clusters, examples, questions }) => {
  const templates = new Set(questions.map(({ prompt }) => templateOf(prompt))).size;
  return clusters !== null || templates > leastShareOfTemplates * examples
    ? []
    : [
        {
          code: 'few-templates',
          severity: 'warning',
          sentence: `The ${examples} prompts are made of ${templates} templates, numbers and quoted texts apart: intervals are too narrow if the model fails by template. \`cluster: 'template'\` counts each as one.`,
          figures: { templates, examples },
        },
      ];
};

const clustered: Check = ({ clusters, examples }) =>
  clusters === null || clusters.count === examples
    ? []
    : [
        {
          code: 'clusters',
          severity: 'note',
          sentence: `The ${examples} examples count as ${clusters.count}: those that share ${clusters.by} belong together.`,
          figures: { examples, clusters: clusters.count },
        },
      ];

/** All checks; those of the same severity are said in this order. */
const checks: readonly Check[] = [
  trainedOn,
  nearlyTrainedOn,
  oneAnswer,
  fewExamples,
  neverEnds,
  lookedAtOften,
  degenerateAnswers,
  sensitiveToWording,
  forgotten,
  knownByHeart,
  withoutAnswer,
  fewTemplates,
  clustered,
];

/** What speaks against trust, the worst first. */
export function doubtsOf(measured: Measured): Doubt[] {
  const doubts = checks.flatMap((check) => check(measured));
  return order.flatMap((severity) => doubts.filter((doubt) => doubt.severity === severity));
}
