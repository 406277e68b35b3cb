/**
 * JSON whose objects have keys like "2": JavaScript puts such keys first, in the order of their numbers, and a model would learn another
 * order than the data has. Promises: `orderedKeys` of an object gives its keys as the text had them; numbers are made by the
 * caller; the text is valid JSON already. Pure.
 */

/** Of an object with keys that JavaScript reorders: all its keys as the text had them. Copies by spreading keep it. */
const keyOrder = Symbol('keyOrder');

type Ordered = Record<string, unknown> & { [keyOrder]?: readonly string[] };

/** Where a text may hold a key that JavaScript reorders. */
const integerKey = /"(?:0|[1-9]\d*)"\s*:/;

/** Whether the objects of this JSON text may come out in another order than they have. */
export const mayReorder = (text: string): boolean => integerKey.test(text);

/** The keys of an object as its JSON text had them; new ones come last. */
export function orderedKeys(value: object): string[] {
  const known = (value as Ordered)[keyOrder];
  const keys = Object.keys(value);
  if (!known) return keys;
  const there = new Set(keys);
  const before = known.filter((key) => there.delete(key));
  return [...before, ...there];
}

/** Whether the object's keys have an order of their own. */
export const hasOrder = (value: object): boolean => keyOrder in value;

class Reader {
  private at = 0;
  private readonly text: string;
  private readonly numberOf: (text: string) => unknown;

  constructor(text: string, numberOf: (text: string) => unknown) {
    this.text = text;
    this.numberOf = numberOf;
  }

  value(): unknown {
    this.space();
    const char = this.text[this.at];
    const made = char === '{' ? this.object() : char === '[' ? this.list() : this.scalar();
    this.space();
    return made;
  }

  private space(): void {
    while (/[ \t\r\n]/.test(this.text[this.at] ?? '')) this.at++;
  }

  private object(): Ordered {
    const made: Ordered = {};
    const keys = new Set<string>();
    this.at++;
    this.space();
    while (this.text[this.at] !== '}') {
      const key = this.scalar() as string;
      this.space();
      this.at++;
      const value = this.value();
      // As JSON.parse: `__proto__` is a key like any other.
      Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true });
      keys.add(key);
      if (this.text[this.at] === ',') this.at++;
      this.space();
    }
    this.at++;
    made[keyOrder] = [...keys];
    return made;
  }

  private list(): unknown[] {
    const made: unknown[] = [];
    this.at++;
    this.space();
    while (this.text[this.at] !== ']') {
      made.push(this.value());
      if (this.text[this.at] === ',') this.at++;
      this.space();
    }
    this.at++;
    return made;
  }

  private scalar(): unknown {
    const token = this.text[this.at] === '"' ? this.quoted() : this.word();
    this.at += token.length;
    return /^[-\d]/.test(token) ? this.numberOf(token) : (JSON.parse(token) as unknown);
  }

  private quoted(): string {
    let end = this.at + 1;
    while (this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    return this.text.slice(this.at, end + 1);
  }

  private word(): string {
    let end = this.at;
    while (end < this.text.length && !/[,\]}\s]/.test(this.text[end]!)) end++;
    return this.text.slice(this.at, end);
  }
}

/** The value of a text that JSON.parse takes; objects keep the order of their keys (orderedKeys). */
export const readOrdered = (text: string, numberOf: (text: string) => unknown): unknown =>
  new Reader(text, numberOf).value();
