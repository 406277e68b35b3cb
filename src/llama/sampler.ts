/**
 * How tokens are drawn, in node-llama-cpp's words. Promises: penalties look at the answer alone, never at the prompt; biases are added to
 * the logits of exactly the tokens that are named, those that end an answer among them; with a schema nothing ends an answer before it is
 * JSON that the schema admits, but its most tokens.
 */
import type {
  LlamaGrammarEvaluationState,
  LlamaModel,
  SequenceEvaluateOptions,
  Token,
  TokenBias,
} from 'node-llama-cpp';
import type { GenerateOptions, LogitBias, Sampling } from '../chat/chat-model.ts';
import { resolveLogitBias } from '../chat/sampling.ts';
import { NomoatError } from '../errors.ts';
import { loadNodeLlamaCpp } from '../runtime/node-llama-cpp/load.ts';
import { llamaEngine } from './engine.ts';
import { jsonGrammar } from './grammar/json-grammar.ts';

/** How many tokens back repetitions are looked for: llama.cpp's default. */
const repeatWindow = 64;

/**
 * node-llama-cpp leaves biases of tokens that end an answer out, whatever is asked; its own map takes them. The version is pinned, and a
 * test fails where another one keeps its biases elsewhere.
 */
function biasesOf(bias: TokenBias): Map<number, number> {
  const held: unknown = Reflect.get(bias, '_biases');
  if (held instanceof Map) return held;
  throw new NomoatError({
    code: 'engine-failed',
    part: 'node-llama-cpp',
    fault: 'keeps the biases of tokens elsewhere in this version',
    remedy: 'Install the version that nomoat names.',
    kind: 'failed',
  });
}

async function tokenBiasOf(model: LlamaModel, logitBias: LogitBias): Promise<TokenBias> {
  const { TokenBias } = await loadNodeLlamaCpp();
  const bias = TokenBias.for(model);
  const held = biasesOf(bias);
  for (const [id, value] of Object.entries(logitBias)) held.set(Number(id), value);
  return bias;
}

/** What a grammar has seen of an answer: nothing yet. */
async function grammarState(model: LlamaModel, text: string): Promise<LlamaGrammarEvaluationState> {
  const { LlamaGrammarEvaluationState } = await loadNodeLlamaCpp();
  const llama = await llamaEngine();
  const grammar = await llama.createGrammar({ grammar: text });
  return new LlamaGrammarEvaluationState({ model, grammar });
}

/**
 * Repetitions in the answer: `repeatPenalty` alone looks back over its usual window; penalties by count hold for the whole answer, and llama.cpp has
 * one window for all three.
 */
function penaltyOptions(
  { frequencyPenalty, presencePenalty, repeatPenalty }: Sampling,
  answer: readonly Token[],
  most: number,
): Pick<SequenceEvaluateOptions, 'repeatPenalty'> {
  const isByCount = frequencyPenalty !== 0 || presencePenalty !== 0;
  if (!isByCount && repeatPenalty === 1) return {};
  const window = isByCount ? most : repeatWindow;
  const punishTokens = (): Token[] => answer.slice(-window);
  return {
    repeatPenalty: { penalty: repeatPenalty, frequencyPenalty, presencePenalty, maxPunishTokens: window, punishTokens },
  };
}

/** What a sampler is made of. */
interface Drawing {
  readonly sampling: Sampling;
  readonly options: Pick<GenerateOptions, 'grammar' | 'jsonSchema' | 'logitBias'>;
  readonly vocabularySize: number;
  /** The answer's tokens; the array grows while it is generated. */
  readonly answer: readonly Token[];
  /** Tokens that it may have. */
  readonly most: number;
}

/** The options of one answer's evaluation. Rejects with NomoatError where biases or schema will not do. */
export async function samplerOptions(model: LlamaModel, drawing: Drawing): Promise<SequenceEvaluateOptions> {
  const { answer, most, options, sampling, vocabularySize } = drawing;
  const grammar = options.jsonSchema === undefined ? options.grammar : jsonGrammar(options.jsonSchema);
  const logitBias = resolveLogitBias(options.logitBias, vocabularySize);
  const { minP, seed, temperature, topK, topP } = sampling;
  return {
    temperature,
    topP,
    topK,
    minP,
    yieldEogToken: true,
    seed: seed ?? Math.floor(Math.random() * 2 ** 32),
    ...penaltyOptions(sampling, answer, most),
    ...(grammar === undefined ? {} : { grammarEvaluationState: await grammarState(model, grammar) }),
    ...(Object.keys(logitBias).length > 0 ? { tokenBias: await tokenBiasOf(model, logitBias) } : {}),
  };
}
