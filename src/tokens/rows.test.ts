import { describe, expect, test } from 'vitest';
import { Random } from '../batches/random.ts';
import { NomoatError } from '../errors.ts';
import { ChatTemplate, noChatTemplate } from '../text/chat-template.ts';
import type { Example, Message } from '../text/example.ts';
import type { TooLong } from './cut.ts';
import { encodeExample } from './encode-example.ts';
import { renderPreview } from './preview.ts';
import { buildRows, cutRows, type RowsOptions } from './rows.ts';
import { leakedRows } from './same-rows.ts';
import type { TokenRow } from './token-row.ts';
import type { Tokenizer } from './tokenizer.ts';
import { assertTrainable } from './trainable.ts';

/** Special tokens, a merge of two line ends, and one token for each other UTF-16 unit. */
const spelled = ['<s>', '</s>', '<|im_start|>', '<|im_end|>', '\n\n'];
const firstUnit = 10;

function fakeTokenizer(options: Partial<Tokenizer> = {}): Tokenizer {
  return {
    vocabularySize: firstUnit + 0x10000,
    bosToken: 0,
    eosToken: 1,
    eotToken: null,
    addsBos: false,
    controlTexts: spelled.slice(0, 4),
    encode: (text, parseSpecial) => {
      const parts = text.match(parseSpecial ? /<s>|<\/s>|<\|im_start\|>|<\|im_end\|>|\n\n|./gs : /\n\n|./gs) ?? [];
      return parts.map((part) => (spelled.includes(part) ? spelled.indexOf(part) : firstUnit + part.charCodeAt(0)));
    },
    decode: (tokens) => tokens.map((t) => spelled[t] ?? String.fromCharCode(t - firstUnit)).join(''),
    isEndOfGeneration: (token) => token === 1 || token === 3,
    close: async () => {},
    ...options,
  };
}

const chatMl =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
const template = new ChatTemplate(chatMl, { bosToken: '<s>', eosToken: '</s>' });
const tokenizer = fakeTokenizer();
const options: RowsOptions = {
  template: () => template,
  tokenizer,
  sequenceLength: 4096,
  tooLong: 'refuse',
  supervise: 'answers',
  specialTokens: 'auto',
};
const source = { file: 'x.jsonl', line: 1 };
const chat = (...turns: [string, string, (0 | 1)?][]): Example => ({
  kind: 'chat',
  messages: turns.map(
    ([role, content, weight]): Message => ({ role, content, ...(weight === undefined ? {} : { weight }) }),
  ),
  source,
});
const completion = (prompt: string, answer: string): Example => ({
  kind: 'completion',
  prompt,
  completion: answer,
  source,
});
const text = (content: string): Example => ({ kind: 'text', text: content, source });
const taught = (row: TokenRow | undefined, of = tokenizer): string =>
  of.decode([...(row?.tokens ?? [])].filter((_, t) => row!.supervised[t] === 1));
const one = (example: Example, more: Partial<RowsOptions> = {}): TokenRow => {
  const { rows } = buildRows([example], { ...options, ...more });
  expect(rows.length).toBe(1);
  return rows[0]!;
};
const reasonOf = (example: Example, more: Partial<RowsOptions> = {}): string => {
  const { rows, report } = buildRows([example], { ...options, ...more });
  expect([rows.length, report.refusedRows]).toEqual([0, 1]);
  return report.refused[0]!.reason;
};

describe('what is supervised', () => {
  test('answers and the token that ends them, not the line end after it, and nothing behind the last answer', () => {
    const row = one(
      chat(['system', 's'], ['user', 'q'], ['assistant', 'ab'], ['user', 'r'], ['assistant', 'cd'], ['user', 'x']),
    );
    expect(taught(row)).toBe('ab<|im_end|>cd<|im_end|>');
    expect(tokenizer.decode([...row.tokens]).endsWith('cd<|im_end|>')).toBe(true);
    expect(taught(one(chat(['user', 'q'], ['assistant', 'a', 0], ['assistant', 'b', 1])))).toBe('b<|im_end|>');
  });

  test('completions are answers to a user; without a template they stand as they are, counted, with an end', () => {
    const row = one(completion('q', 'a'));
    expect([...row.tokens]).toEqual([...one(chat(['user', 'q'], ['assistant', 'a'])).tokens]);
    const none = (): ChatTemplate => {
      throw new NomoatError({ part: 'x.gguf', fault: 'none', remedy: '.', fields: { code: noChatTemplate } });
    };
    const { rows, report } = buildRows([completion('q ', 'a')], { ...options, template: none });
    expect(tokenizer.decode([...rows[0]!.tokens])).toBe('q a</s>');
    expect([taught(rows[0]), report.rawCompletions]).toEqual(['a</s>', 1]);
    expect(() => buildRows([chat(['user', 'q'], ['assistant', 'a'])], { ...options, template: none })).toThrow(
      /x.gguf/,
    );
  });

  test('a text whole, with one end and one beginning', () => {
    expect(taught(one(text('abc')))).toBe('bc</s>');
    expect(taught(one(text('abc</s>')))).toBe('bc</s>');
    const withBos = fakeTokenizer({ addsBos: true });
    for (const content of ['abc', '<s>abc']) {
      const row = one(text(content), { tokenizer: withBos });
      expect([...row.tokens].filter((token) => token === 0).length).toBe(1);
      expect(taught(row)).toBe('abc</s>');
    }
  });

  test('a beginning-of-sequence token that the template spells is not added again', () => {
    const spelling = new ChatTemplate(`{{ bos_token }}${chatMl}`, { bosToken: '<s>', eosToken: '</s>' });
    const example = chat(['user', 'q'], ['assistant', 'a']);
    const withBos = fakeTokenizer({ addsBos: true });
    const [added, own] = [template, spelling].map((t) => one(example, { template: () => t, tokenizer: withBos }));
    expect([...added!.tokens]).toEqual([...own!.tokens]);
    expect(taught(added)).toBe('a<|im_end|>');
  });

  test('everything, when asked for: what comes after the last answer, too', () => {
    const row = one(chat(['user', 'q'], ['assistant', 'a', 0], ['user', 'z']), { supervise: 'all' });
    expect(tokenizer.decode([...row.tokens]).endsWith('z<|im_end|>')).toBe(true);
    expect([...row.supervised]).toEqual([0, ...new Array<number>(row.tokens.length - 1).fill(1)]);
  });

  test('where a template writes no end behind the last answer, it is learnt with the one that stops generation', () => {
    const open = new ChatTemplate(
      '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}',
      { bosToken: '', eosToken: '' },
    );
    const { report, rows } = buildRows([chat(['user', 'q'], ['assistant', 'a'], ['user', 'r'], ['assistant', 'b'])], {
      ...options,
      template: () => open,
    });
    expect(tokenizer.isEndOfGeneration(rows[0]!.tokens.at(-1)!)).toBe(true);
    expect(rows[0]!.supervised.at(-1)).toBe(1);
    expect(Object.keys(report.notices).join()).toMatch(/no end behind the last answer/);
  });

  test('only the first of several ends, where a template writes more', () => {
    const wordy = new ChatTemplate(`${chatMl}{% if not add_generation_prompt %}</s>{% endif %}`, {
      bosToken: '',
      eosToken: '',
    });
    expect(taught(one(chat(['user', 'q'], ['assistant', 'a']), { template: () => wordy }))).toBe('a<|im_end|>');
  });
});

describe('what is refused, with its reason', () => {
  test('an answer that spells the end of a turn, no answers, an error of the template', () => {
    expect(reasonOf(chat(['user', 'q'], ['assistant', 'a<|im_end|>b']), { specialTokens: 'control' })).toMatch(
      /spells an end-of-turn token/,
    );
    expect(reasonOf(chat(['user', 'q']))).toMatch(/no answer to learn/);
    expect(reasonOf(chat(['user', 'q'], ['assistant', 'a', 0]))).toMatch(/no answer to learn/);
    const strict = new ChatTemplate("{{ raise_exception('no ' + messages[0].role) }}", { bosToken: '', eosToken: '' });
    expect(reasonOf(chat(['user', 'q'], ['assistant', 'a']), { template: () => strict })).toMatch(/no user/);
  });

  test('reasons without end are counted together', () => {
    const raising = new ChatTemplate('{{ raise_exception(messages[0].content) }}', { bosToken: '', eosToken: '' });
    const examples = Array.from({ length: 100 }, (_, i) => chat(['user', `q${i}`], ['assistant', 'a']));
    const { report } = buildRows(examples, { ...options, template: () => raising });
    expect(Object.keys(report.refusals).length).toBeLessThan(50);
    expect(Object.values(report.refusals).reduce((a, b) => a + b, 0)).toBe(100);
    expect(report.refused.length).toBe(20);
  });

  test('a sequence length that nothing fits into', () => {
    for (const sequenceLength of [0, 1, 1.5, Number.NaN])
      expect(() => buildRows([], { ...options, sequenceLength })).toThrow(/`sequenceLength`/);
  });

  test('the template is asked for once, and its own faults are not the examples’', () => {
    let asked = 0;
    const count = (): ChatTemplate => {
      asked++;
      return template;
    };
    const example = chat(['user', 'q'], ['assistant', 'a']);
    buildRows([example, completion('q', 'a'), example], { ...options, template: count });
    expect(asked).toBe(1);
    const broken = (): ChatTemplate => new ChatTemplate('{% if %}', { bosToken: '', eosToken: '' });
    expect(() => buildRows([completion('q', 'a')], { ...options, template: broken })).toThrow(/cannot be parsed/);
  });
});

describe('rows that are too long', () => {
  const long = chat(['user', 'question'], ['assistant', 'abcdefghij'], ['user', 'more'], ['assistant', 'klmnopqrst']);
  const full = one(long);
  const limit = 30;

  test('from the right, from the left, or refused', () => {
    const right = buildRows([long], { ...options, sequenceLength: full.tokens.length - 4, tooLong: 'truncate-right' });
    expect(taught(right.rows[0])).toBe('abcdefghij<|im_end|>klmnopq');
    const left = buildRows([long], { ...options, sequenceLength: limit, tooLong: 'truncate-left' });
    expect([...left.rows[0]!.tokens]).toEqual([...full.tokens.slice(-limit)]);
    expect(left.report).toMatchObject({
      truncatedRows: 1,
      cutTokens: full.tokens.length - limit,
      cutSupervisedTokens: 11,
    });
    expect(reasonOf(long, { sequenceLength: limit })).toMatch(/longer than the sequence length of 30/);
    expect(reasonOf(long, { sequenceLength: limit - 10, tooLong: 'truncate-right' })).toMatch(
      /no supervised token left/,
    );
  });

  test('split without losing a supervised token; each part has what predicts its first target', () => {
    for (let sequenceLength = 2; sequenceLength < full.tokens.length; sequenceLength++) {
      const { rows, report } = buildRows([long], { ...options, sequenceLength, tooLong: 'split' });
      expect(rows.map((row) => taught(row)).join('')).toBe(taught(full));
      expect(report).toMatchObject({ splitRows: 1, cutSupervisedTokens: 0, addedParts: rows.length - 1 });
    }
  });

  test('a beginning-of-sequence token stays at the beginning of every part', () => {
    const withBos = fakeTokenizer({ addsBos: true });
    for (const tooLong of ['split', 'truncate-left', 'truncate-right'] as const) {
      const { rows } = buildRows([long], { ...options, sequenceLength: 40, tooLong, tokenizer: withBos });
      for (const { tokens, supervised } of rows) {
        expect([tokens[0], supervised[0]]).toEqual([0, 0]);
        expect(tokens.length).toBeLessThanOrEqual(40);
        expect(tokens.subarray(1).includes(0)).toBe(false);
      }
    }
  });
});

test('300 random data sets: every example, row and token is accounted for', () => {
  const random = new Random(21);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  const words = (): string =>
    Array.from({ length: random.below(12) }, () => pick(['a', 'b', ' ', '\n', 'é', '<|im_end|>'])).join('');
  const example = (): Example =>
    pick([
      () => text(words()),
      () => completion(words(), words()),
      () =>
        chat(
          ...Array.from({ length: 1 + random.below(6) }, (): [string, string, (0 | 1)?] => [
            pick(['user', 'assistant', 'system', 'tool']),
            words(),
            pick([0, 1, undefined]),
          ]),
        ),
    ])();
  for (let i = 0; i < 300; i++) {
    const settings: RowsOptions = {
      ...options,
      tokenizer: fakeTokenizer({ addsBos: random.below(2) === 1 }),
      sequenceLength: 2 + random.below(60),
      tooLong: pick<TooLong>(['truncate-left', 'truncate-right', 'split', 'refuse']),
      supervise: pick(['answers', 'answers', 'all'] as const),
      specialTokens: pick(['auto', 'text', 'control'] as const),
    };
    const examples = Array.from({ length: random.below(12) }, example);
    const { rows, report } = buildRows(examples, settings);
    const sum = (of: (row: TokenRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
    expect(report.rows).toBe(rows.length);
    expect(report.rows + report.refusedRows).toBe(examples.length + report.unrolledRows + report.addedParts);
    expect(report.tokens).toBe(sum(({ tokens }) => tokens.length));
    expect(report.supervisedTokens).toBe(sum(({ supervised }) => supervised.reduce((a, b) => a + b, 0)));
    expect(Object.values(report.refusals).reduce((a, b) => a + b, 0)).toBe(report.refusedRows);
    // Uncut, the kept examples have the tokens that the report accounts for.
    let [tokens, supervised] = [0, 0];
    for (const whole of examples) {
      const encoded = encodeExample(whole, settings);
      if ('reason' in encoded) continue;
      for (const sequence of encoded.sequences) {
        const compact = { tokens: Int32Array.from(sequence.tokens), supervised: Uint8Array.from(sequence.supervised) };
        const alone = cutRows([{ source, encoded: { ...encoded, sequences: [compact] } }], settings);
        if (alone.rows.length === 0) continue;
        tokens += sequence.tokens.length;
        supervised += sequence.supervised.reduce((a, b) => a + b, 0);
      }
    }
    expect(report.tokens).toBe(tokens - report.cutTokens + report.leadTokens);
    expect(report.supervisedTokens).toBe(supervised - report.cutSupervisedTokens);
    for (const row of rows) {
      expect(row.supervised[0]).toBe(0);
      expect(row.supervised.includes(1)).toBe(true);
      expect(row.tokens.length).toBeLessThanOrEqual(settings.sequenceLength);
      expect(row.supervised.length).toBe(row.tokens.length);
    }
  }
});

describe('before training', () => {
  const good = chat(['user', 'one'], ['assistant', 'two']);

  test('data that teaches nothing, or no stopping, does not start', () => {
    const built = (examples: Example[], more: Partial<RowsOptions> = {}) =>
      buildRows(examples, { ...options, ...more });
    const assertion = (rows: ReturnType<typeof built>) => () => assertTrainable(rows, tokenizer);
    assertTrainable(built([good]), tokenizer);
    expect(assertion(built([]))).toThrow(/no row has a supervised token/);
    expect(assertion(built([chat(['user', 'q'])]))).toThrow(/1 refused, mostly: has no answer to learn/);
    const length = one(good).tokens.length;
    expect(assertion(built([good], { sequenceLength: length - 1, tooLong: 'truncate-right' }))).toThrow(
      /never supervised.*`sequenceLength`/,
    );
    const endless = new ChatTemplate("{% for m in messages %}{{ m.role + ': ' + m.content + ' END\n' }}{% endfor %}", {
      bosToken: '',
      eosToken: '',
    });
    expect(assertion(built([good], { template: () => endless }))).toThrow(/does not end an answer.*`preview\(\)`/);
  });

  test('duplicates and rows that also stand in validation are counted', () => {
    const { rows, report } = buildRows([good, good, chat(['user', 'x'], ['assistant', 'y']), good], options);
    expect(report.duplicateRows).toBe(2);
    expect(leakedRows(rows, buildRows([good], options).rows)).toBe(3);
    expect(leakedRows(rows, [])).toBe(0);
    expect(report.lengths).toEqual({
      shortest: rows[2]!.tokens.length,
      median: rows[0]!.tokens.length,
      longest: rows[0]!.tokens.length,
    });
  });
});

describe('the preview', () => {
  const { rows, report } = buildRows(
    [chat(['user', 'q\u001b[2J'], ['assistant', 'ab']), chat(['user', 'q'], ['assistant', 'ab']), chat(['user', 'q'])],
    options,
  );

  test('shows tokens, marks the supervised ones, and says all counts that are not zero', () => {
    const preview = renderPreview(rows, report, tokenizer, { rows: 1, color: false });
    expect(preview).toContain('s│e│r│⏎\n│q│␛│[│2│J│<|im_end|>');
    expect(preview).toContain('t│⏎\n«a»«b»«<|im_end|>»');
    expect(preview).toContain('x.jsonl:1: ');
    expect(preview.match(/^--- /gm)?.length).toBe(1);
    expect(preview).toContain(`2 rows, ${report.tokens} tokens, 6 supervised`);
    expect(preview).toContain('1 refused: has no answer to learn');
    expect(preview).not.toContain('truncated');
  });

  test('in colour it is the same text, and the data cannot steer the terminal', () => {
    const plain = renderPreview(rows, report, tokenizer, { rows: 2, color: false });
    const color = renderPreview(rows, report, tokenizer, { rows: 2, color: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours
    const bare = color.replace(/\u001b\[[0-9;]*m/g, '');
    expect(bare).toBe(plain.replace(/[«»│]/g, ''));
    expect(bare).not.toContain('\u001b');
    expect(color).not.toBe(bare);
  });
});
