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
  return { valid: true, right, fields: fields.size, extra: [...found.keys()].filter((path) => !fields.has(path)).length }; // biome-ignore format: one line
}
