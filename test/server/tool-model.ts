/** A model that calls tools and thinks, tuned in seconds: what its few rows say, it says at temperature 0. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { tune } from '../../src/index.ts';
import { withTemplate, writeRows } from '../cases/support.ts';

/** As Qwen writes calls and thoughts, in few words: the model is small. */
const template = `{%- macro turn(role, text) %}{{ '<|im_start|>' + role + '\\n' + text + '<|im_end|>\\n' }}{% endmacro %}
{%- if tools %}{{ turn('system', tools | map(attribute='function.name') | join(' ')) }}{% endif %}
{%- for message in messages %}
  {%- if message.role == 'tool' %}{{ turn('user', '<tool_response>' + message.content + '</tool_response>') }}
  {%- else %}
    {%- set calls = namespace(text='') %}
    {%- for call in message.tool_calls or [] %}
      {%- set calls.text = calls.text + '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' + (call.function.arguments | tojson) + '}\\n</tool_call>' %}
    {%- endfor %}
    {%- set thoughts = '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' if message.reasoning_content else '' %}
    {{- turn(message.role, thoughts + (message.content or '') + calls.text) }}
  {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}{% endif %}`;

const functionTool = (name: string, properties: object) => ({
  type: 'function' as const,
  function: { name, description: 'x', parameters: { type: 'object', properties, required: Object.keys(properties) } },
});
export const tools = [
  functionTool('look', { at: { type: 'string' } }),
  functionTool('add', { a: { type: 'integer' } }),
];

const call = (name: string, given: object, id = 'abcdefghi') => ({
  id,
  type: 'function' as const,
  function: { name, arguments: JSON.stringify(given) },
});
const user = (content: string) => ({ role: 'user' as const, content });
const calling = (...calls: ReturnType<typeof call>[]) => ({
  role: 'assistant' as const,
  content: null,
  tool_calls: calls,
});

/** What the model is asked, with what it has learnt to answer. */
export const lessons = {
  look: [user('look up'), calling(call('look', { at: 'the sky' }))],
  both: [user('do both'), calling(call('look', { at: 'a dog' }), call('add', { a: 2 }, 'ihgfedcba'))],
  result: [user('look up'), calling(call('look', { at: 'the sky' })), { role: 'tool' as const, tool_call_id: 'abcdefghi', content: 'blue' }, { role: 'assistant' as const, content: 'It is blue.' }],
  thought: [user('think'), { role: 'assistant' as const, content: 'Yes.', reasoning_content: 'A cat is here.' }],
  plain: [user('hello'), { role: 'assistant' as const, content: 'Hi.' }],
  broken: [user('fail'), { role: 'assistant' as const, content: '<tool_call>\n{"name": "look", "arguments": {"at": no}}\n</tool_call>' }],
}; // biome-ignore format: a table

/** Tunes it into a run in `runs`, named `tools`. */
export async function tuneToolModel(folder: string, runs: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const model = withTemplate(join(folder, 'calls.gguf'), template);
  const rows = Object.values(lessons).map((messages) => ({ messages, tools }));
  const data = writeRows(join(folder, 'calls.jsonl'), rows);
  const { result } = tune({
    data,
    model,
    threads: 1,
    epochs: 60,
    batchSize: 3,
    learningRate: 0.01,
    rank: 16,
    run: join(runs, 'tools'),
  } as never);
  await result;
}
