/**
 * A trained vocabulary as GGUF metadata that llama.cpp reads as GPT-2's kind, with the special tokens and the chat template of ChatML.
 * Spec: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#tokenizer. Pure.
 */
import type { GgufValue } from '../formats/gguf/types.ts';
import { documentSeparator } from '../records/text-documents.ts';
import { type Bpe, preTokenizer } from './bpe.ts';

/** They stand after the trained tokens. Text that spells them only becomes them where special tokens are wanted. */
export const specialTokens = [documentSeparator, '<|im_start|>', '<|im_end|>'] as const;

/** ChatML, as SmolLM2 and Qwen have it, without a system prompt of its own. */
const chatTemplate = `{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

/** llama.cpp's token types. */
const tokenTypes = { normal: 1, control: 3 };

/** The `tokenizer.*` keys. */
export function bpeMetadata({ tokens, merges }: Bpe): Map<string, GgufValue> {
  const id = (special: (typeof specialTokens)[number]): GgufValue => ({
    type: 'uint32',
    value: tokens.length + specialTokens.indexOf(special),
  });
  const types = [...tokens.map(() => tokenTypes.normal), ...specialTokens.map(() => tokenTypes.control)];
  return new Map<string, GgufValue>([
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: preTokenizer }],
    ['tokenizer.ggml.tokens', { type: 'array', elementType: 'string', value: [...tokens, ...specialTokens] }],
    ['tokenizer.ggml.token_type', { type: 'array', elementType: 'int32', value: types }],
    ['tokenizer.ggml.merges', { type: 'array', elementType: 'string', value: merges.map((pair) => pair.join(' ')) }],
    ['tokenizer.ggml.bos_token_id', id('<|endoftext|>')],
    ['tokenizer.ggml.eos_token_id', id('<|im_end|>')],
    ['tokenizer.ggml.padding_token_id', id('<|endoftext|>')],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }],
    ['tokenizer.chat_template', { type: 'string', value: chatTemplate }],
  ]);
}
