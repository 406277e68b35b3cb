/** Reads a call that is one JSON object, while it is written. Promises: arguments are given out as soon as the name is known. Pure. */
import { isObject } from '../refused.ts';
import type { JsonCall } from './answer-form.ts';
import type { CallListener } from './call-listener.ts';
import { jsonEntries, jsonKey, jsonObject, jsonString, jsonValue } from './json-reading.ts';
import { type Reading, type TextSource, Unreadable } from './text-source.ts';

type Keys = readonly string[];

const leadsTo = (keys: Keys, longer: Keys): boolean =>
  keys.length < longer.length && keys.every((key, i) => key === longer[i]);
const same = (a: Keys, b: Keys): boolean => a.length === b.length && a.every((key, i) => key === b[i]);

function isObjectText(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}

class JsonCallReader {
  private readonly source: TextSource;
  private readonly form: JsonCall;
  private readonly listener: CallListener;
  private name: string | null = null;
  /** Arguments that came before the name, or all of them. */
  private held: string | null = null;
  private opened = false;

  constructor(source: TextSource, form: JsonCall, listener: CallListener) {
    this.source = source;
    this.form = form;
    this.listener = listener;
  }

  *read(): Reading<void> {
    yield* this.source.skipSpace();
    yield* this.entries([]);
    if (!this.opened) throw new Unreadable();
    this.listener.close();
  }

  private *entries(keys: Keys): Reading<void> {
    const each = (): Reading<void> => this.entry(keys);
    yield* jsonEntries(this.source, '{}', () => {}, each);
  }

  private *entry(keys: Keys): Reading<void> {
    const { form, source } = this;
    const at = [...keys, yield* jsonKey(source)];
    if (same(at, form.name) && this.name === null) {
      this.name = JSON.parse(yield* jsonString(source)) as string;
      this.say(this.held);
    } else if (same(at, form.arguments) && this.held === null) yield* this.arguments();
    else if (leadsTo(at, form.name) || leadsTo(at, form.arguments)) yield* this.entries(at);
    else if (form.others.includes(at.at(-1)!)) yield* jsonValue(source);
    else throw new Unreadable();
  }

  /** An object, or JSON text of one, as OpenAI writes arguments. */
  private *arguments(): Reading<void> {
    const { source } = this;
    this.held = '';
    if ((yield* source.peek()) === '"') {
      const text = JSON.parse(yield* jsonString(source)) as string;
      if (!isObjectText(text)) throw new Unreadable();
      this.say(text);
    } else if ((yield* source.peek()) === '{') yield* jsonObject(source, (piece) => this.say(piece));
    else throw new Unreadable();
  }

  /** Holds arguments back until there is a name to call. */
  private say(piece: string | null): void {
    if (piece === null) return;
    if (this.name === null) {
      this.held += piece;
      return;
    }
    if (!this.opened) this.listener.open(this.name);
    this.opened = true;
    this.listener.arguments(piece);
  }
}

/** Throws Unreadable where it is no call of this form. */
export const readJsonCall = (source: TextSource, form: JsonCall, listener: CallListener): Reading<void> =>
  new JsonCallReader(source, form, listener).read();
