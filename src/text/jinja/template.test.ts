import { describe, expect, test } from 'vitest';
import { readJson } from '../../formats/exact-json.ts';
import { JinjaTemplate, marked, TemplateConstructError, TemplateFailed, TemplateRaised } from './index.ts';

const render = (source: string, variables: Record<string, unknown> = {}): string =>
  new JinjaTemplate(source).render(variables).text;

/** The rendering with each marked stretch as [text](origin). */
function shown(source: string, variables: Record<string, unknown>): string {
  const { text, spans } = new JinjaTemplate(source).render(variables);
  let position = 0;
  let out = '';
  for (const { start, end, origin } of spans) {
    expect(start).toBeGreaterThanOrEqual(position);
    out += `${text.slice(position, start)}[${text.slice(start, end)}](${String(origin)})`;
    position = end;
  }
  return out + text.slice(position);
}

describe('as Python has it', () => {
  test.each([
    ["{{ '\n   x'.lstrip('\\n') }}|", '   x|'],
    ['{{ 1.0 }} {{ 1e16 }} {{ 1e-5 }} {{ 2**70 }}', '1.0 1e+16 1e-05 1180591620717411303424'],
    ["{{ '😀abc'[1:] }} {{ '👩‍👩‍👧' | length }}", 'abc 5'],
    ["{{ [1, 'a', none, true] }} {{ {'a': 'b'} }} {{ ('a',) }}", "[1, 'a', None, True] {'a': 'b'} ('a',)"],
    ['{% set y = 1 %}{% for i in [1, 2] %}{% set y = y + 1 %}{{ y }}{% endfor %}{{ y }}', '221'],
    ["{{ 'a%sb%dc' % ('x', 3) }} {{ '{0}{k}'.format(1, k=2) }}", 'axb3c 12'],
    ['{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 2 ** -1 }}', '-4 2 -2 0.5'],
    ['{% generation %}x{% endgeneration %}{% raw %}{{ y }}{% endraw %}', 'x{{ y }}'],
  ])('%s', (source, text) => {
    expect(render(source)).toBe(text);
  });

  test('numbers of JSON keep their kind', () => {
    expect(render('{{ x | tojson }}', { x: readJson('{"big":7301234567890123457,"one":1.0,"e":1e5}') })).toBe(
      '{"big": 7301234567890123457, "one": 1.0, "e": 100000.0}',
    );
  });

  test('long texts are no matter of the stack', () => {
    const lines = 'a\n'.repeat(300_000);
    expect(
      render("{{ (x | replace('\n', ' '))[::-1] | length }} {{ x.split('\n') | join('-') | length }}", { x: lines }),
    ).toBe('600000 600000');
    expect(render("{{ x.replace('a', 'bb') | length }}", { x: marked(lines, 1) })).toBe('900000');
  });

  test('a Map keeps the order of its keys', () => {
    const map = new Map<string, unknown>([
      ['b', 1],
      ['1', new Map([['0', 2]])],
      ['a', 3],
    ]);
    expect(render('{{ m | tojson }} {{ m.a }} {{ m is mapping }}', { m: map })).toBe(
      '{"b": 1, "1": {"0": 2}, "a": 3} 3 True',
    );
    expect(render('{{ m | tojson }}', { m: marked(map, 1) })).toBe('{"b": 1, "1": {"0": 2}, "a": 3}');
  });

  test('a function of the caller hides the engine’s', () => {
    expect(render("{{ strftime_now('%Y') }}", { strftime_now: (format: string) => `<${format}>` })).toBe('<%Y>');
    const { text } = new JinjaTemplate("{{ strftime_now('%d %b %Y') }}").render({}, { now: new Date(2024, 6, 26) });
    expect(text).toBe('26 Jul 2024');
  });
});

describe('marks', () => {
  const messages = [marked({ role: 'user', content: ' Hi <b> ' }, 1), marked({ role: 'bot', content: 'Yo: a, b' }, 2)];

  test.each([
    [
      "{% for m in messages %}{{ '<|' + m.role + '|>' ~ m['content'] }};{% endfor %}",
      '<|[user](1)|>[ Hi <b> ](1);<|[bot](2)|>[Yo: a, b](2);',
    ],
    ['{{ messages[0].content.strip() + messages[1].content[:2] }}', '[Hi <b>](1)[Yo](2)'],
    ["{{ messages[1].content.split(', ') | join('+') }}", '[Yo: a](2)+[b](2)'],
    ["{{ messages[1].content.replace('a', 'x') }}", '[Yo: ](2)x[, b](2)'],
    ['{{ messages[1].content | upper }}{{ messages[0].content | trim | title }}', '[YO: A, B](2)[Hi <B>](1)'],
    ['{{ messages[1] | tojson }}', '{"[role](2)": "[bot](2)", "[content](2)": "[Yo: a, b](2)"}'],
    ["{{ '%s=%s' % (messages[0].role, 'x') }}{{ '{:>5}'.format(messages[1].role) }}", '[user](1)=x  [bot](2)'],
    ['{% for key in messages[0] %}{{ key }}{% endfor %}', '[rolecontent](1)'],
    ["{{ ('x\n' + messages[0].content) | indent(2) }}", 'x\n  [ Hi <b> ](1)'],
    ['{% set s %}a{{ messages[0].role }}{% endset %}{{ s[::-1] }}', '[resu](1)a'],
    ['{{ messages[0] }}', "{'[role](1)': '[user](1)', '[content](1)': '[ Hi <b> ](1)'}"],
  ])('%s', (source, expected) => {
    expect(shown(source, { messages })).toBe(expected);
  });

  test('numbers are marked, and reckon as others', () => {
    const variables = { n: marked({ a: 7, b: 1.5 }, 3) };
    expect(
      shown(
        '{{ n.a }} {{ n.a + 1 }} {{ n.b | string }} {{ n | tojson }} {{ n.a is number }} {{ [4][n.a - 7] }}',
        variables,
      ),
    ).toBe('[7](3) 8 [1.5](3) {"[a](3)": [7](3), "[b](3)": [1.5](3)} True 4');
  });

  test('the inner mark stays', () => {
    expect(shown('{{ m.a }}{{ m.b }}', { m: marked({ a: 'x', b: marked('y', 2) }, 1) })).toBe('[x](1)[y](2)');
  });
});

describe('refusals', () => {
  const thrown = (source: string, variables: Record<string, unknown> = {}): unknown => {
    try {
      return render(source, variables);
    } catch (error) {
      return error;
    }
  };

  test('the template raises', () => {
    const error = thrown("\n{{ raise_exception('no ' ~ 1) }}");
    expect(error).toBeInstanceOf(TemplateRaised);
    expect(error).toMatchObject({ raised: 'no 1', line: 2 });
  });

  test.each([
    ['{{ x.y }}', 'UndefinedError', "'x' is undefined"],
    ["{{ 'a' + 1 }}", 'TypeError', "unsupported operand type(s) for +: 'str' and 'int'"],
    ['{% if %}', 'TemplateSyntaxError', "Expected an expression, got 'end of statement block'"],
    ['{{ [].append(1) }}', 'SecurityError', "access to attribute 'append' of 'list' object is unsafe."],
    ['{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}', 'RecursionError', 'maximum recursion depth exceeded'],
    [
      '{{ range(10 ** 9) }}',
      'OverflowError',
      'Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).',
    ],
  ])('%s fails as in Python', (source, python, reason) => {
    expect(thrown(source)).toBeInstanceOf(TemplateFailed);
    expect(thrown(source)).toMatchObject({ python, reason });
  });

  test.each([
    ["{% include 'x' %}", 'the statement `include`'],
    ["{{ 'x' | urlize }}", 'the filter `urlize`'],
    ["{{ 'x'.translate({}) }}", 'str.translate'],
    ["{{ 'x' * 10 ** 9 }}", 'a text of over 134217728 characters'],
    ['{{ 10 ** 10000000 }}', 'an integer of over 100000 bits'],
  ])('%s is named', (source, construct) => {
    expect(thrown(source)).toBeInstanceOf(TemplateConstructError);
    expect(thrown(source)).toMatchObject({ construct, line: 1 });
  });

  test.each([
    "{{ 'x' * 10 ** 8 + 'x' * 10 ** 8 }}",
    "{% set ns = namespace(a='x') %}{% for i in range(99) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
    '{% set ns = namespace(a=[1]) %}{% for i in range(99) %}{% set ns.a = ns.a + ns.a %}{% endfor %}',
    "{{ ('x' * 10 ** 6).replace('x', 'y' * 10 ** 6) }}",
    "{{ ('y' * 10 ** 6).join('x' * 10 ** 6) }}",
    '{{ [1] | batch(10 ** 12, 0) | list }}',
    '{{ [1] | slice(10 ** 12, 0) | list }}',
    "{{ 'a\nb' | indent(10 ** 9) }}",
    "{{ 'a\tb'.expandtabs(10 ** 9) }}",
    '{{ [1] | tojson(indent=10 ** 9) }}',
    "{{ '%.*f' % (10 ** 7, 0.1) }}",
    "{{ '{:10000000}'.format(1) }}",
    "{{ 'x'.center(10 ** 9) }}",
    '{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}',
  ])('%s ends soon, refused', (source) => {
    const start = performance.now();
    expect(thrown(source)).toBeInstanceOf(TemplateConstructError);
    // Some machines are slow; without a bound these take hours or all memory.
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  test.each(['{{ 5 | round(-(10 ** 9)) }}', '{{ 5.5 | round(-(10 ** 9)) }}', '{{ 5.5 | round(10 ** 9) }}'])(
    '%s is quick',
    (source) => {
      expect(thrown(source)).toMatch(/^(?:0|0\.0|5\.5)$/);
    },
  );

  test('brackets without end do not break the stack', () => {
    expect(thrown(`{{ ${'('.repeat(100_000)} }}`)).toBeInstanceOf(TemplateFailed);
  });
});
