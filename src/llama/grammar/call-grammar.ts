/**
 * Answers that call a tool, as a grammar of llama.cpp's: in the form that the model's chat template writes calls, with arguments that their
 * schemas admit; thoughts may come first. Promises: whatever it admits is read as calls of these tools. Pure.
 */
import type { JsonSchema } from '../../settings/json-schema.ts';
import type { AnswerForm, CallForm, JsonCall, MarkedCall, ThoughtForm } from '../../text/answers/answer-form.ts';
import type { OfferedTools } from '../../text/answers/offered-tools.ts';
import { jsonGrammar } from './json-grammar.ts';

/** A text of a grammar. */
const literal = (text: string): string => (text === '' ? '' : JSON.stringify(text));

/** What of a rule is no name: texts and classes of characters. */
const noName = /"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|[a-zA-Z][\w-]*/g;

/** The rules of a schema, all their names with `prefix` before them; the value itself is `<prefix>root`. */
const rulesOf = (schema: JsonSchema, prefix: string): string =>
  jsonGrammar(schema).replace(noName, (found) => (/^[a-zA-Z]/.test(found) ? `${prefix}${found}` : found));

/** A schema of an object with `inner` where these keys lead. */
const below = (keys: readonly string[], inner: JsonSchema): JsonSchema =>
  keys.reduceRight<JsonSchema>(
    (schema, key) => ({ type: 'object', properties: { [key]: schema }, required: [key] }),
    inner,
  );

type ObjectSchema = JsonSchema & {
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
};

/** Both schemas' properties in one object, keys that both have joined likewise. */
function merged(a: ObjectSchema, b: ObjectSchema): JsonSchema {
  const shared = Object.keys(a.properties).filter((key) => Object.hasOwn(b.properties, key));
  const both = Object.fromEntries(
    shared.map((key) => [key, merged(a.properties[key] as ObjectSchema, b.properties[key] as ObjectSchema)]),
  );
  const properties = { ...a.properties, ...b.properties, ...both };
  return { type: 'object', properties, required: Object.keys(properties) };
}

const argumentsOf = (schema: unknown): JsonSchema =>
  typeof schema === 'object' && schema !== null ? { type: 'object', ...schema } : { type: 'object' };

/** One call of a tool: what stands for it in the grammar, and its rules. */
interface Rule {
  readonly body: string;
  readonly rules: string;
}

function jsonRule(form: JsonCall, [name, schema]: readonly [string, unknown], prefix: string): Rule {
  const called = merged(
    below(form.name, { const: name }) as ObjectSchema,
    below(form.arguments, argumentsOf(schema)) as ObjectSchema,
  );
  return {
    body: `${literal(form.before)} ${prefix}root ${literal(form.after)}`,
    rules: rulesOf(called, prefix),
  };
}

/** null where the form has arguments one by one, or other things than names before them. */
function markedRule(form: MarkedCall, [name, schema]: readonly [string, unknown], prefix: string): Rule | null {
  if (form.parameters || form.head.some((part) => 'field' in part && part.field !== 'name')) return null;
  const head = form.head.map((part) => ('text' in part ? part.text : name)).join('');
  return {
    body: `${literal(head)} ${prefix}root ${literal(form.after)}`,
    rules: rulesOf(argumentsOf(schema), prefix),
  };
}

const ruleOf = (form: CallForm, tool: readonly [string, unknown], prefix: string): Rule | null =>
  form.call.kind === 'json' ? jsonRule(form.call, tool, prefix) : markedRule(form.call, tool, prefix);

/** A class of all characters but this one. */
const allBut = (character: string): string => `[^${character.replace(/[\]\\^-]/g, '\\$&')}]`;

/** Thoughts, which end where the first two characters of what closes them come together. */
function thoughtsRule({ begun, close, open }: ThoughtForm): string {
  const [first = '', second = ''] = close;
  const thoughts = `(${allBut(first)} | ${literal(first)} ${allBut(second)})* ${literal(close)} [ \\n]?[ \\n]?`;
  return begun ? thoughts : `(${literal(open)} ${thoughts})?`;
}

/** The grammar of one call, or of one and more; null where the form of calls is none that a grammar here holds to. */
export function callGrammar({ calls, thoughts }: AnswerForm, tools: OfferedTools, onlyOne: boolean): string | null {
  if (!calls) return null;
  const rules = [...tools].map((tool, i) => ruleOf(calls, tool, `t${i}-`));
  if (rules.some((rule) => rule === null)) return null;
  const made = rules.filter((rule) => rule !== null);
  const more = onlyOne ? '' : `(${literal(calls.between)} call)*`;
  return [
    `root ::= ${thoughts ? thoughtsRule(thoughts) : ''} ${literal(calls.open)} call ${more} ${literal(calls.close)}`,
    `call ::= ${made.map(({ body }) => body).join(' | ')}`,
    ...made.map((rule) => rule.rules),
  ].join('\n');
}
