/**
 * Reads the calls of an answer in the form that its template writes them, while they are written. Promises: arguments are given out as
 * JSON, each piece once it is sure; a call that is closed is whole. Pure.
 */
import { type CallForm, headText } from './answer-form.ts';
import type { CallListener } from './call-listener.ts';
import { readJsonCall } from './json-call.ts';
import { readMarkedCall } from './marked-call.ts';
import type { OfferedTools } from './offered-tools.ts';
import { firstMarkup, markup, type Reading, type TextSource, Unreadable } from './text-source.ts';

/**
 * All calls from the beginning of their markup on, until what follows is none. Markup behind a call may be missing: generation may end
 * there, and its arguments are whole. Throws Unreadable where a call is none after all; the source's mark is then behind the one before.
 */
export function* readCalls(
  source: TextSource,
  form: CallForm,
  tools: OfferedTools,
  listener: CallListener,
): Reading<void> {
  if (!(yield* markup(source, form.open))) throw new Unreadable();
  do {
    yield* readCall(source, form, tools, listener);
    source.mark();
  } while (yield* another(source, form));
  yield* markup(source, form.close);
  source.mark();
}

function* readCall(source: TextSource, { call }: CallForm, tools: OfferedTools, listener: CallListener): Reading<void> {
  if (call.kind === 'marked') return yield* readMarkedCall(source, call, tools, listener);
  if (!(yield* markup(source, call.before))) throw new Unreadable();
  yield* readJsonCall(source, call, listener);
  yield* markup(source, call.after);
}

/** Whether one more call follows; the sign between them is read. */
function* another(source: TextSource, form: CallForm): Reading<boolean> {
  yield* source.skipSpace();
  if (form.between.trim() !== '') return yield* markup(source, form.between);
  const word = firstMarkup(headText(form.call)) || (form.call.kind === 'json' ? '{' : '');
  if (word === '') return false;
  yield* source.more(word.length - 1);
  return source.rest.startsWith(word);
}
