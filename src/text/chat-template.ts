/**
 * Renders conversations by the chat template that the model file carries, for training, chat and serving alike.
 * Promises: the pieces of a split conversation add up to its whole rendering, every answer stands behind the very prompt that asks
 * for it in use, and nothing of a conversation is left out; otherwise it is refused with the reason. Knows nothing of tokens. Pure.
 */
import { NomoatError } from '../errors.ts';
import type { Message } from './example.ts';
import { JinjaTemplate, TemplateConstructError, TemplateRaised } from './jinja/index.ts';
import type { SourceSpan } from './left-out.ts';
import { strftime } from './template-date.ts';
import { markedMessage, markedTools, plainMessage, plainTools } from './template-values.ts';

export interface RenderOptions {
  readonly tools?: readonly unknown[] | undefined;
  /** Further variables that the template asks for, such as `enable_thinking`. */
  readonly values?: Readonly<Record<string, unknown>> | undefined;
  readonly addGenerationPrompt: boolean;
}

/** A rendering that knows which of its characters came from where in the conversation; spans in order. */
export interface MarkedText {
  readonly text: string;
  readonly spans: readonly SourceSpan[];
}

/** A rendering as the first `shared` characters of another, `whole`, and `text` behind them. */
export interface Beginning {
  /** Beginnings of one rendering have one object. */
  readonly whole: { readonly text: string };
  readonly shared: number;
  readonly text: string;
}

/** The metadata that a template needs of a model file; GgufFile has it. */
export interface TemplateSource {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, { readonly value: unknown }>;
  string(key: string): string | undefined;
  number(key: string): number | undefined;
}

/** One conversation cannot be rendered or divided; others may. `fault` is the kind of reason, equal for equal causes; `detail` says where. */
export class ConversationRefused extends NomoatError {
  readonly reason: string;
  readonly detail: string | undefined;

  constructor(fault: string, detail?: string, cause?: unknown) {
    super({
      code: 'invalid-conversation',
      part: 'the conversation',
      fault: detail === undefined ? fault : `${fault} (${detail})`,
      remedy: 'Check the roles, their order and their contents against what the model was trained on.',
      cause,
    });
    this.reason = fault;
    this.detail = detail;
  }
}

export class ChatTemplate {
  readonly source: string;
  private readonly template: JinjaTemplate;
  private readonly specials: { readonly bosToken: string; readonly eosToken: string };

  /** Throws NomoatError where the template cannot be parsed, or needs what the engine does not have. */
  constructor(source: string, specials: { readonly bosToken: string; readonly eosToken: string }) {
    this.source = source;
    this.specials = specials;
    try {
      this.template = new JinjaTemplate(source);
    } catch (error) {
      const missing = error instanceof TemplateConstructError ? error : null;
      throw new NomoatError({
        code: 'unusable-chat-template',
        part: 'the chat template',
        fault: missing
          ? needs(missing)
          : `cannot be parsed (${error instanceof NomoatError ? error.fault : String(error)})`,
        remedy: otherTemplate,
        ...(missing ? { fields: { construct: missing.construct, line: missing.line } } : {}),
        cause: error,
      });
    }
  }

  /** The conversation as text. Throws ConversationRefused (a NomoatError) when the template refuses it. */
  render(messages: readonly Message[], options: RenderOptions): string {
    const values = (list: readonly Message[]): Record<string, unknown> => ({
      messages: list.map(plainMessage),
      tools: options.tools ? plainTools(options.tools) : null,
    });
    return this.withSilentCalls(messages, (list) => this.renderedOrWithoutTools(values(list), options)).text;
  }

  /** The same with the source of each character. */
  renderMarked(messages: readonly Message[], options: RenderOptions): MarkedText {
    const values = (list: readonly Message[]): Record<string, unknown> => ({
      messages: list.map(markedMessage),
      tools: options.tools ? markedTools(options.tools) : null,
    });
    return this.withSilentCalls(messages, (list) => this.renderedOrWithoutTools(values(list), options));
  }

  /**
   * The renderings of beginnings of a conversation (a cut of 3: the first three messages), at the cost of one where the template asks for
   * nothing that comes later; null for a beginning that must be rendered by itself.
   */
  renderBeginnings(
    messages: readonly Message[],
    cuts: readonly number[],
    options: RenderOptions,
  ): (Beginning | null)[] {
    if (messages.some(isSilent)) return cuts.map(() => null);
    try {
      const values = this.valuesOf(
        { messages: messages.map(plainMessage), tools: options.tools ? plainTools(options.tools) : null },
        options,
      );
      const { prefixes, whole } = this.template.renderPrefixes(values, cuts);
      return prefixes.map((prefix) => prefix && { whole, shared: prefix.shared, text: prefix.text });
    } catch {
      // What the template refuses in the whole it may not refuse in a beginning.
      return cuts.map(() => null);
    }
  }

  /**
   * A call has null beside it, as OpenAI writes it: some templates ask for that, others put it together with text, or write the word
   * None as Python does.
   */
  private withSilentCalls(
    messages: readonly Message[],
    render: (messages: readonly Message[]) => MarkedText,
  ): MarkedText {
    if (!messages.some(isSilent)) return render(messages);
    const texts = messages.map((message) => (isSilent(message) ? { ...message, content: '' } : message));
    let first: MarkedText;
    try {
      first = render(messages);
    } catch (error) {
      try {
        return render(texts);
      } catch {
        throw error;
      }
    }
    if (!first.text.includes('None')) return first;
    try {
      const second = render(texts);
      return nones(second) < nones(first) ? second : first;
    } catch {
      return first;
    }
  }

  /** Templates that were made for calls alone go through the tools unasked: for them, none are an empty list. */
  private renderedOrWithoutTools(values: Record<string, unknown>, options: RenderOptions): MarkedText {
    try {
      return this.rendered(values, options);
    } catch (error) {
      if (options.tools) throw error;
      try {
        return this.rendered({ ...values, tools: [] }, options);
      } catch {
        throw error;
      }
    }
  }

  private rendered(values: Record<string, unknown>, options: RenderOptions): MarkedText {
    try {
      return this.template.render(this.valuesOf(values, options)) as MarkedText;
    } catch (error) {
      throw refusalOf(error);
    }
  }

  private valuesOf(
    values: Record<string, unknown>,
    { addGenerationPrompt, values: further }: RenderOptions,
  ): Record<string, unknown> {
    return {
      ...further,
      ...values,
      // As transformers' apply_chat_template: what is not given is none, not undefined.
      documents: null,
      add_generation_prompt: addGenerationPrompt,
      bos_token: this.specials.bosToken,
      eos_token: this.specials.eosToken,
      strftime_now: strftime,
    };
  }
}

const isSilent = ({ content, tool_calls }: Message): boolean => content === null && tool_calls !== undefined;

const nones = ({ text }: MarkedText): number => text.split('None').length;

const otherTemplate = "Give another template with `chatTemplate`, or one by name, such as `chatTemplate: 'chatml'`.";

const needs = ({ construct, line }: TemplateConstructError): string =>
  `needs ${construct} (line ${line}), which nomoat's template engine does not have`;

/** What the engine threw, as a refusal of this conversation. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof TemplateRaised)
    return new ConversationRefused(`the chat template refuses it: ${error.raised}`, undefined, error);
  if (error instanceof TemplateConstructError)
    return new ConversationRefused(`the chat template ${needs(error)}`, undefined, error);
  const why = error instanceof NomoatError ? error.fault : error.message;
  return new ConversationRefused(`the chat template cannot render it: it ${why}`, undefined, error);
}

/** Where a GGUF has its template. */
export const templateKey = 'tokenizer.chat_template';

/** The text of a special token that the metadata names by id; '' where it names none. */
function specialToken(model: TemplateSource, key: string): string {
  const id = model.number(`tokenizer.ggml.${key}_token_id`);
  const tokens = model.metadata.get('tokenizer.ggml.tokens')?.value;
  const text = id !== undefined && Array.isArray(tokens) ? tokens[id] : undefined;
  return typeof text === 'string' ? text : '';
}

/** The `code` field of the error that chatTemplateOf throws for a model without a template. */
export const noChatTemplate = 'no-chat-template';

/**
 * The model with another chat template than its own, wherever it is asked for one: in training, chat and every export. The model itself
 * where `template` is null.
 */
export function withChatTemplate<Model extends TemplateSource>(
  model: Model,
  template: string | null | undefined,
): Model {
  if (template === null || template === undefined) return model;
  const metadata = new Map(model.metadata);
  metadata.set(templateKey, { type: 'string', value: template } as { readonly value: unknown });
  const text = (key: string): string | undefined => (key === templateKey ? template : model.string(key));
  return Object.create(model, { metadata: { value: metadata }, string: { value: text } }) as Model;
}

/** The model file's own template. Throws NomoatError where it has none; no default is made up, since chat would not know it. */
export function chatTemplateOf(model: TemplateSource): ChatTemplate {
  const source = model.string(templateKey);
  if (!source) {
    throw new NomoatError({
      code: 'no-chat-template',
      part: model.path,
      fault: 'has no chat template (tokenizer.chat_template)',
      remedy:
        'Use an instruction-tuned model file, train on `text` or prompt/completion records, or give one with `chatTemplate`.',
      fields: { code: noChatTemplate },
    });
  }
  return new ChatTemplate(source, { bosToken: specialToken(model, 'bos'), eosToken: specialToken(model, 'eos') });
}
