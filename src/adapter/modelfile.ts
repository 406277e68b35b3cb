/**
 * Ollama's Modelfile for a merged model, or for a base with an adapter: FROM, ADAPTER, TEMPLATE, PARAMETER stop, SYSTEM.
 * Promises: the template renders what training and chat render, or the export is refused; stop texts are the model's own
 * end-of-turn tokens. https://docs.ollama.com/modelfile
 */
import { NomoatError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { chatTemplateOf } from '../text/chat-template.ts';
import { goTemplate, turnFrame } from './ollama-template.ts';

export interface ModelfileOptions {
  readonly model: GgufFile;
  /** What FROM names: the merged model beside the Modelfile, or the base's path. */
  readonly from: string;
  /** The GGUF LoRA's name beside the Modelfile; null for a merged model. Ollama refuses ADAPTER from 0.34.1 on. */
  readonly adapterFile: string | null;
  readonly systemPrompt: string | null;
  readonly stop: readonly string[];
}

/** Tokens that end generation: end of sequence, end of turn, end of message. */
const stopTokenKeys = ['eos', 'eot', 'eom'].map((name) => `tokenizer.ggml.${name}_token_id`);

function tokenText(model: GgufFile, key: string): string | null {
  const id = model.number(key);
  const tokens = model.metadata.get('tokenizer.ggml.tokens')?.value;
  const text = id === undefined || !Array.isArray(tokens) ? undefined : tokens[id];
  return typeof text === 'string' ? text : null;
}

/** Whether llama.cpp puts the beginning-of-sequence token first: its own defaults where the file does not say. */
function ollamaAddsBos(model: GgufFile): boolean {
  const byDefault =
    model.string('tokenizer.ggml.model') === 'llama' || (model.string('tokenizer.ggml.pre') ?? '').startsWith('llama');
  return model.boolean('tokenizer.ggml.add_bos_token') ?? byDefault;
}

/** The texts of the model's end-of-generation tokens, without repetition. */
export function stopTexts(model: GgufFile): string[] {
  const texts = stopTokenKeys.map((key) => tokenText(model, key)).filter((text) => text !== null);
  return [...new Set(texts)];
}

/** Go templates cannot format a date as the template does. */
const usesDate = (model: GgufFile): boolean => (model.string('tokenizer.chat_template') ?? '').includes('strftime_now');

/** A text as a Modelfile's multi-line string. */
function quoted(part: string, text: string): string {
  if (text.includes('"""') || text.endsWith('"')) {
    throw new NomoatError({
      code: 'unusable-export',
      part,
      fault: 'holds """ or ends in a quotation mark, which a Modelfile cannot say',
      remedy: "Change it, or export with `to: 'gguf'`.",
    });
  }
  return `"""${text}"""`;
}

/** The Modelfile's text. Throws NomoatError where the chat template cannot be translated or has no place for a system prompt. */
export function renderModelfile({ model, from, adapterFile, systemPrompt, stop }: ModelfileOptions): string {
  const template = chatTemplateOf(model);
  const bos = tokenText(model, 'tokenizer.ggml.bos_token_id');
  // Ollama puts the beginning-of-sequence token before every prompt where the model asks for it; the template must not repeat it.
  const addsBos = ollamaAddsBos(model);
  const render: Parameters<typeof turnFrame>[1] = (messages) => {
    const text = template.render(messages, { addGenerationPrompt: true });
    return bos && addsBos && text.startsWith(bos) ? text.slice(bos.length) : text;
  };
  const frame = turnFrame(model.path, render);
  if (systemPrompt && !frame.system) {
    throw new NomoatError({
      code: 'unusable-export',
      part: model.path,
      fault: 'has a chat template without a system prompt',
      remedy: 'Export without a system prompt.',
    });
  }
  const lines = [
    adapterFile === null
      ? '# Made by nomoat. FROM is the base model with the adapter merged in.'
      : '# Made by nomoat. FROM is the base model that the adapter was trained on: change the path when it moves. For Ollama before 0.34.1.',
    '# The template renders what the chat template of the base model does, without tools; spaces around messages are kept.',
    ...(usesDate(model) ? ['# The template states the date; this one keeps that of the export.'] : []),
    `FROM ${from}`,
    ...(adapterFile === null ? [] : [`ADAPTER ./${adapterFile}`]),
    `TEMPLATE ${quoted(model.path, goTemplate(model.path, frame))}`,
    ...[...new Set([...stopTexts(model), ...stop])].map((text) => `PARAMETER stop ${JSON.stringify(text)}`),
    ...(systemPrompt ? [`SYSTEM ${quoted('the system prompt', systemPrompt)}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}
