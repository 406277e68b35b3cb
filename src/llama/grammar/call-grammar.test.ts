import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answerFormOf } from '../../text/answers/find-answer-form.ts';
import { offeredTools } from '../../text/answers/offered-tools.ts';
import { ChatTemplate } from '../../text/chat-template.ts';
import { llamaEngine } from '../engine.ts';
import { callGrammar } from './call-grammar.ts';

const folder = join(import.meta.dirname, '../../../test/fixtures/templates');
const formOf = (name: string) =>
  answerFormOf(
    new ChatTemplate(readFileSync(join(folder, `${name}.jinja`), 'utf8'), { bosToken: '<s>', eosToken: '</s>' }),
    {},
  );
const tools = offeredTools([
  { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: { at: { enum: ['a', 'root'] } }, required: ['at'] } } },
  { type: 'function', function: { name: 'add' } },
]); // biome-ignore format: a table

describe('a grammar that llama.cpp takes', () => {
  test.each([
    'Qwen-Qwen3-0.6B',
    'unsloth-qwen3-thinking',
    'meta-llama-Llama-3.2-3B-Instruct',
    'mistralai-Mistral-Nemo-Instruct-2407',
    'mistralai-Ministral-3-14B-Reasoning-2512',
    'meetkai-functionary-medium-v3.1',
    'NVIDIA-Nemotron-Nano-v2',
    'Cohere2MoE',
  ])('for %s', async (name) => {
    const grammar = callGrammar(formOf(name), tools, false)!;
    const llama = await llamaEngine();
    await llama.createGrammar({ grammar });
    // Values are not names of rules.
    expect(grammar).toContain('\\"root\\"');
  });

  test('none for arguments that stand one by one', () => {
    expect(callGrammar(formOf('Qwen3-Coder'), tools, false)).toBe(null);
  });
});
