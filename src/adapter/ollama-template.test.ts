import { Template } from '@huggingface/jinja';
import { describe, expect, it } from 'vitest';
import type { Message } from '../text/example.ts';
import { goTemplate, type RenderMessages, turnFrame } from './ollama-template.ts';

const jinja =
  (source: string): RenderMessages =>
  (messages) =>
    new Template(source).render({
      messages,
      add_generation_prompt: true,
      bos_token: '<s>',
      eos_token: '</s>',
    });

const chatml = `{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;
const templates: Readonly<Record<string, string>> = {
  chatml,
  'chatml with a default system prompt': `{% if messages[0].role != 'system' %}{{ '<|im_start|>system\\nYou are Bot.<|im_end|>\\n' }}{% endif %}${chatml}`,
  'llama 3': `{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}`,
  zephyr: `{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + eos_token + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}`,
  'turns without a system role': `{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% elif m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}{% else %}{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}`,
};

const refused: Readonly<Record<string, string>> = {
  'one that numbers the turns': `{% for m in messages %}{{ loop.index ~ m.role ~ m.content ~ '|' }}{% endfor %}`,
  'one that changes contents': `{% for m in messages %}{{ m.role ~ ':' ~ m.content | upper ~ '|' }}{% endfor %}`,
  'one that keeps only the last turn': `{{ messages[-1].content }}`,
  'one that puts the system prompt into the last question': `{% for m in messages %}{% if m.role == 'user' %}[INST] {% if loop.last and messages[0].role == 'system' %}{{ messages[0].content + '\\n\\n' }}{% endif %}{{ m.content }}[/INST]{% elif m.role == 'assistant' %}{{ m.content }}</s>{% endif %}{% endfor %}`,
  'one that fails': `{{ raise_exception('never') }}`,
};

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const conversations: Message[][] = [
  [user('What is 2 + 2?')],
  [user('a'), assistant('b'), user('c'), assistant('d\ne'), user('f')],
];

/** The subset of Go's text/template that goTemplate writes, as Ollama would run it; an unknown action fails the test. */
function runGo(source: string, system: string, messages: readonly Message[]): string {
  const pieces = source.split(/\{\{ (.*?) \}\}/s);
  let at = 0;
  let out = '';
  interface Scope {
    message?: Message;
    last?: boolean;
  }
  const test = (condition: string, scope: Scope): boolean => {
    const role = /^eq \.Role "(\w+)"$/.exec(condition)?.[1];
    if (role) return scope.message?.role === role;
    const known: Record<string, boolean> = { '.System': system !== '', $last: !!scope.last, 'not $last': !scope.last };
    if (!(condition in known)) throw new Error(`condition ${condition}`);
    return known[condition]!;
  };
  /** Runs to the action that ends the block, and returns it. */
  const block = (live: boolean, scope: Scope): string => {
    for (;;) {
      if (live) out += pieces[at]!;
      const action = pieces[at + 1];
      at += 2;
      if (action === undefined || action === 'end' || action.startsWith('else')) return action ?? 'end';
      if (action.startsWith('if ')) branch(action.slice(3), live, scope);
      else if (action === 'range $i, $_ := .Messages') {
        const start = at;
        messages.forEach((message, i) => {
          at = start;
          block(live, { message, last: i === messages.length - 1 });
        });
      } else if (action === '$last := eq (len (slice $.Messages $i)) 1') continue;
      else if (!live) continue;
      else if (action === '.Content') out += scope.message!.content;
      else if (action === '.System') out += system;
      else throw new Error(`action ${action}`);
    }
  };
  const branch = (condition: string, live: boolean, scope: Scope): void => {
    let taken = live && test(condition, scope);
    let end = block(taken, scope);
    while (end !== 'end') {
      const now = live && !taken && (end === 'else' || test(end.slice('else if '.length), scope));
      end = block(now, scope);
      taken ||= now;
    }
  };
  block(true, {});
  return out;
}

describe.each(Object.entries(templates))('%s', (name, source) => {
  const render = jinja(source);
  const frame = turnFrame('model.gguf', render);
  const go = goTemplate('model.gguf', frame);

  it.each(conversations)('renders conversation %# as the original, with and without a system prompt', (...messages) => {
    expect(runGo(go, '', messages)).toBe(render(messages));
    if (!frame.system) return;
    // Ollama passes system turns in .Messages too.
    const whole = [{ role: 'system', content: 'Be brief.' }, ...messages];
    expect(runGo(go, 'Be brief.', whole)).toBe(render(whole));
  });

  it('has a system prompt where the original has', () => {
    expect(frame.system === null).toBe(name === 'turns without a system role');
  });
});

describe('templates that are more than fixed texts around turns', () => {
  it.each(Object.entries(refused))('refuses %s', (_, source) => {
    expect(() => turnFrame('model.gguf', jinja(source))).toThrow(/model.gguf: has a chat template that nomoat cannot/);
  });

  it('refuses texts that Go would take for actions', () => {
    const frame = turnFrame('m', (messages) => messages.map(({ content }) => `{{x}}${content}`).join(''));
    expect(() => goTemplate('m', frame)).toThrow(/a Modelfile cannot hold/);
  });
});
