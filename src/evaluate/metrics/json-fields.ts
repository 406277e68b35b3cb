/** Answers that are to be JSON: whether they are, and which fields are right. Pure. */

export interface JsonScore {
  /** Whether the answer is one JSON value and nothing else. */
  readonly valid: boolean;
  /** Fields of the expected value that the answer has with that value, and how many there are: leaves, by their paths. */
  readonly right: number;
  readonly fields: number;
  /** Fields of the answer that are not expected. */
  readonly extra: number;
}

function leaves(value: unknown, path: string, into: Map<string, string>): Map<string, string> {
  if (typeof value !== 'object' || value === null) return into.set(path, JSON.stringify(value));
  const entries = Object.entries(value);
  if (entries.length === 0) into.set(path, Array.isArray(value) ? '[]' : '{}');
  for (const [key, inner] of entries) leaves(inner, `${path}/${key}`, into);
  return into;
}

function parsed(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}

/** Compares an answer with JSON that is expected. null where what is expected is no JSON. */
export function jsonScore(answer: string, expected: string): JsonScore | null {
  const wanted = parsed(expected);
  if (wanted === null) return null;
  const fields = leaves(wanted.value, '', new Map());
  const given = parsed(answer);
  if (given === null) return { valid: false, right: 0, fields: fields.size, extra: 0 };
  const found = leaves(given.value, '', new Map());
  const right = [...fields].filter(([path, value]) => found.get(path) === value).length;
  return {
    valid: true,
    right,
    fields: fields.size,
    extra: [...found.keys()].filter((path) => !fields.has(path)).length,
  };
}

/** Whether a text is one JSON value and nothing else. */
export const isJson = (text: string): boolean => parsed(text) !== null;

/** How answers that are to be JSON came out. */
export interface JsonReport {
  /** Share of the answers that are one JSON value and nothing else. */
  readonly valid: number;
  /** Share of all expected fields, over all examples, that answers have. */
  readonly fields: number;
  /** Fields of answers that are not expected, over all examples. */
  readonly extra: number;
}

/** Of answers to examples that expect JSON; null where one expects something else. */
export function jsonReport(answers: readonly string[], expected: readonly string[]): JsonReport | null {
  const scores = answers.map((answer, i) => jsonScore(answer, expected[i]!));
  if (scores.includes(null)) return null;
  const sum = (of: (score: JsonScore) => number): number => scores.reduce((all, score) => all + of(score!), 0);
  const fields = sum((score) => score.fields);
  return {
    valid: sum(({ valid }) => Number(valid)) / answers.length,
    fields: fields === 0 ? 0 : sum(({ right }) => right) / fields,
    extra: sum(({ extra }) => extra),
  };
}
