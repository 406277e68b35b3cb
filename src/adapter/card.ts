/**
 * The README.md of an adapter or a model: a model card as the Hugging Face hub reads it.
 * Promises: only what the caller knows is stated; nothing is guessed, and text from outside cannot break the front matter. Pure.
 * Format: https://huggingface.co/docs/hub/model-cards
 */
import { stringify } from 'yaml';
import { code, inline, prose, table } from './card-markup.ts';
import { type CardFiles, type CardOf, type CardSubject, cardSubject } from './card-subject.ts';

export interface CardFigure {
  readonly name: string;
  readonly before?: number | string;
  readonly after: number | string;
}

/** Results as the card and the hub's model-index have them. */
export interface CardEvaluation {
  /** `id` is the hub's id of the data, or null for data of one's own. */
  readonly dataset: { readonly name: string; readonly id: string | null; readonly split: string | null };
  readonly examples: number;
  /** The first one decides. Scores are shares of 1, with their 95% intervals. */
  readonly metrics: readonly {
    readonly name: string;
    readonly score: number;
    readonly interval: readonly [number, number];
  }[];
  /** By the first metric: whoever it was compared with. */
  readonly others: readonly { readonly name: string; readonly score: number }[];
  /** In sentences, the most important first. */
  readonly verdict: readonly string[];
}

export interface CardInfo {
  readonly architecture: string;
  /** Its name; the default says what it is of. */
  readonly title?: string;
  /** License of the base model and of the data, where known: SPDX names in lower case. */
  readonly baseLicense?: string;
  readonly dataLicense?: string;
  /** What it was trained on, e.g. file names; no paths of the machine. */
  readonly data?: readonly string[];
  readonly languages?: readonly string[];
  /** Settings worth stating, in order: learning rate, epochs, batch size, ... */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Of the hub, by their ids (`organisation/name`): what it was trained on, where that is published. */
  readonly datasets?: readonly string[];
  /** What an evaluation found. */
  readonly evaluation?: CardEvaluation;
  /** What has to be known before it is used, in sentences: they stand first. */
  readonly warnings?: readonly string[];
  /** Validation loss, exact answers, parity, ... */
  readonly figures?: readonly CardFigure[];
  /** File names beside the card, for the instructions. */
  readonly files?: CardFiles;
  /** What a safety check beside the base said, in sentences. */
  readonly safety?: readonly string[];
  /** What it is meant for, in a sentence of whoever made it. */
  readonly intendedUse?: string;
  /** What its training computed with: all parameters of the model, and all tokens that went through it. */
  readonly compute?: { readonly parameters: number; readonly tokens: number };
  /** nomoat's version. */
  readonly version?: string;
}

/** The hub's names of metrics, where it has some. */
const hubMetrics: Readonly<Record<string, string>> = { exact: 'exact_match', 'token-f1': 'f1', 'rouge-l': 'rouge' };

/** https://github.com/huggingface/hub-docs/blob/main/modelcard.md: results that their author reports. */
const modelIndex = (title: string, { dataset, metrics }: CardEvaluation) => [
  {
    name: inline(title),
    results: [
      {
        task: { type: 'text-generation' },
        dataset: {
          name: dataset.name,
          type: dataset.id ?? 'custom',
          ...(dataset.split ? { split: dataset.split } : {}),
        },
        metrics: metrics.map(({ interval, name, score }) => ({
          type: hubMetrics[name] ?? name,
          name: `${name} (95% interval ${shown(interval[0])} to ${shown(interval[1])})`,
          value: Number(score.toFixed(4)),
          verified: false,
        })),
      },
    ],
  },
];

const shown = (score: number): string => score.toFixed(3);

function frontMatter(info: CardInfo, { fields, tags }: CardSubject, title: string): string {
  const { architecture, baseLicense, datasets, evaluation, languages } = info;
  const all = {
    ...fields,
    pipeline_tag: 'text-generation',
    ...(baseLicense ? { license: baseLicense } : {}),
    ...(languages?.length ? { language: [...languages] } : {}),
    ...(datasets?.length ? { datasets: [...datasets] } : {}),
    tags: [...tags, architecture, 'nomoat'],
    ...(evaluation ? { 'model-index': modelIndex(title, evaluation) } : {}),
  };
  return `---\n${stringify(all)}---\n`;
}

function training({ data, dataLicense, settings }: CardInfo, { rows }: CardSubject): string {
  const source = data?.length ? `Trained on ${data.map(code).join(', ')}` : 'The training data is not stated';
  const license = dataLicense ? `, under ${inline(dataLicense)}` : data?.length ? '; its license is not stated' : '';
  return `## Training\n\n${source}${license}.\n\n${table(['setting', 'value'], [...rows, ...Object.entries(settings ?? {})])}\n`;
}

function figures({ figures: list }: CardInfo): string {
  if (!list?.length) return '';
  const rows = list.map(({ name, before, after }) => [name, before ?? '', after]);
  return `## Figures\n\n${table(['figure', 'before', 'after'], rows)}\n`;
}

function warnings({ warnings: list }: CardInfo): string {
  if (!list?.length) return '';
  return `> [!WARNING]\n${list.map((sentence) => `> - ${prose(sentence)}`).join('\n')}\n`;
}

function evaluationPart({ evaluation, title }: CardInfo, { noun }: CardSubject): string {
  if (!evaluation) return '';
  const { dataset, examples, metrics, others, verdict } = evaluation;
  const [first] = metrics;
  const rows = [
    ...metrics.map(({ interval, name, score }) => [title ?? `this ${noun}`, name, shown(score), `${shown(interval[0])} to ${shown(interval[1])}`]),
    ...others.map(({ name, score }) => [name, first!.name, shown(score), '']),
  ];
  const where = dataset.id === null ? `${code(dataset.name)}, which is not published with it` : `[${inline(dataset.id)}](https://huggingface.co/datasets/${dataset.id})`;
  return `## Evaluation\n\n${examples} examples of ${where}. Measured by those who publish this; nobody else has verified it.\n\n${table(['who', 'metric', 'score', '95% interval'], rows)}\n\n${verdict.map((sentence) => `- ${prose(sentence)}`).join('\n')}\n`;
} // biome-ignore format: a template

/** Likelihoods at the run's end: less than a check of answers. */
function safetyPart({ safety }: CardInfo): string {
  if (!safety?.length) return '';
  return `## Safety\n\nA quick check beside the base, by likelihoods of refusals and of first words. It does not show that this is safe.\n\n${safety.map((sentence) => `- ${prose(sentence)}`).join('\n')}\n`;
}

/** Floating-point operations from which the European Commission's guidelines of 18 July 2025 take a model for general-purpose AI. */
const generalPurposeCompute = 1e23;
/** Share of the original training's operations above which they take whoever modifies such a model for its provider. */
const modifierShare = 1 / 3;

/** 6 operations for each parameter and token: the guidelines' own estimate of training, which is above what LoRA needs. */
function computePart({ compute }: CardInfo): string {
  if (!compute) return '';
  const { parameters, tokens } = compute;
  const operations = 6 * parameters * tokens;
  const power = (value: number): string => value.toExponential(1).replace('e+', ' x 10^');
  const least = modifierShare * generalPurposeCompute;
  const side = operations > least ? 'above' : 'below';
  return `
### Compute

Training took about ${power(operations)} floating-point operations: 6 x ${parameters.toLocaleString('en')} parameters x ${tokens.toLocaleString('en')} tokens. The European Commission's guidelines of 18 July 2025 take a model for general-purpose AI from ${power(generalPurposeCompute)} on, and whoever modifies one for its provider where that takes more than a third of its training; this is ${side} a third of that threshold (${power(least)}). This is no legal advice.
`;
}

/** The card as Markdown with YAML front matter. */
export function renderCard(info: CardInfo & CardOf): string {
  const { architecture, files, intendedUse, version } = info;
  const subject = cardSubject(info);
  const title = info.title ?? subject.title(architecture);
  const disclosure = `## Intended use and limits

${intendedUse ? inline(intendedUse) : 'Whoever made it has not said what it is for: try it on your own examples before you use it.'} Tell people that they talk to a machine.

${subject.what} can be wrong, biased or invented; check them before you rely on them.
It was made automatically with [nomoat](https://www.npmjs.com/package/nomoat)${version ? ` ${inline(version)}` : ''} and only the figures above were measured. ${subject.license(info.baseLicense)}
${computePart(info)}`;
  const sections = [
    frontMatter(info, subject, title),
    `# ${inline(title)}\n`,
    warnings(info),
    evaluationPart(info, subject),
    safetyPart(info),
    training(info, subject),
    figures(info),
    `## Use\n\n${subject.usage(files ?? {}).join('\n\n')}\n`,
    disclosure,
  ];
  return sections.filter((section) => section !== '').join('\n');
}
