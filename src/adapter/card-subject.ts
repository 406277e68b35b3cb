/** What a model card is of: an adapter, or a whole model. How either is called, loaded and tagged on the hub. Pure. */
import type { AdapterSummary } from '../lora/adapter.ts';
import { inline, literal, type Rows } from './card-markup.ts';

/** A model whose every weight was trained. */
export interface CardModel {
  /** Its file beside the card. */
  readonly file: string;
  /** What it was tuned from, by its id on the hub or its name; null of one that began with random weights. */
  readonly baseModel: string | null;
}

/** One of the two. */
export type CardOf = { readonly adapter: AdapterSummary } | { readonly model: CardModel };

/** The files beside the card that its instructions name. */
export interface CardFiles {
  readonly ggufLora?: string;
  readonly modelfile?: string;
}

/** What the card says because of what it is of. */
export interface CardSubject {
  readonly noun: 'adapter' | 'model';
  /** Where nobody gave one. */
  readonly title: (architecture: string) => string;
  /** Front matter before the others: https://huggingface.co/docs/hub/model-cards. */
  readonly fields: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  /** Settings before the run's. */
  readonly rows: Rows;
  /** Paragraphs of how it is used. */
  readonly usage: (files: CardFiles) => readonly string[];
  /** What it is, in a sentence of the limits. */
  readonly what: string;
  /** Which license applies, `base` being the base's where that is known. */
  readonly license: (base: string | undefined) => string;
}

/** The hub takes nothing else for base_model. */
const hubId = /^[\w.-]+\/[\w.-]+$/;

const madeOf = (base: string | null, relation: string): Readonly<Record<string, string>> =>
  base !== null && hubId.test(base) ? { base_model: base, base_model_relation: relation } : {};

const ofBase = (license: string | undefined): string =>
  license
    ? `The base model is under ${inline(license)}; that license applies to what is made with it.`
    : 'The license of the base model applies to what is made with it.';

/** One number, or those that modules have, in a text. */
const listed = (values: readonly number[]): number | string =>
  values.length === 1 ? values[0]! : values.map((value) => inline(value)).join(', ');

const shell = (command: string): string => `\`\`\`sh\n${command}\n\`\`\``;

function adapterUsage(baseModel: string, { ggufLora, modelfile }: CardFiles): string[] {
  return [
    'With PEFT (give a Transformers copy of the base model):',
    `\`\`\`python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = ${literal(baseModel || 'BASE_MODEL')}
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), "path/to/this/folder")
tokenizer = AutoTokenizer.from_pretrained(base)
\`\`\``,
    ggufLora
      ? 'With llama.cpp, on the GGUF file of the base model:'
      : 'With llama.cpp, after `nomoat export RUN --to gguf --out adapter.gguf`:',
    shell(`llama-cli -m BASE.gguf --lora ${ggufLora ?? 'adapter.gguf'}`),
    modelfile
      ? 'With Ollama:'
      : 'With Ollama, in the folder that `nomoat export RUN --to ollama --out FOLDER` writes (the merged model and its Modelfile):',
    shell('ollama create my-model -f Modelfile'),
    'With nomoat:',
    shell('nomoat chat BASE.gguf --adapter path/to/this/folder'),
  ];
}

const ofAdapter = (adapter: AdapterSummary): CardSubject => ({
  noun: 'adapter',
  title: (architecture) => `LoRA adapter for ${adapter.baseModel || `a ${architecture} model`}`,
  fields: { ...madeOf(adapter.baseModel, 'adapter'), library_name: 'peft' },
  tags: ['lora', 'peft'],
  rows: [
    ['method', adapter.rslora ? 'LoRA, rank-stabilised' : 'LoRA'],
    ['rank', listed(adapter.ranks)],
    ['alpha', listed(adapter.alphas)],
    ['scale', listed(adapter.scales)],
    ['dropout', adapter.dropout],
    ['target modules', adapter.targetModules.join(', ')],
  ],
  usage: (files) => adapterUsage(adapter.baseModel, files),
  what: "This adapter changes a language model's answers. They",
  license: ofBase,
});

const ofModel = ({ baseModel, file }: CardModel): CardSubject => ({
  noun: 'model',
  title: (architecture) =>
    baseModel === null
      ? `A ${architecture} model, trained from random weights`
      : `${baseModel || `A ${architecture} model`}, every weight tuned`,
  fields: { ...madeOf(baseModel, 'finetune'), library_name: 'gguf' },
  tags: ['gguf'],
  rows: [['method', baseModel === null ? 'pretraining, from random weights' : 'full fine-tuning']],
  usage: () => [
    'With llama.cpp:',
    shell(`llama-cli -m ${file}`),
    'With Ollama, with a Modelfile of one line:',
    shell(`echo "FROM ./${file}" > Modelfile\nollama create my-model -f Modelfile`),
    'With nomoat:',
    shell(`nomoat chat ${file}`),
  ],
  what: 'This is a language model. Its answers',
  license: (base) =>
    baseModel === null
      ? 'It was trained on the data that is named above, whose licenses may ask something of what is made with it.'
      : ofBase(base),
});

export const cardSubject = (of: CardOf): CardSubject => ('adapter' in of ? ofAdapter(of.adapter) : ofModel(of.model));
