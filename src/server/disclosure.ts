/**
 * The mark that a server's answers carry where it discloses them (`disclose`): a header and a field in each object, for programs that pass answers on.
 * It says that a text was generated, not what it may be used for. Pure.
 */
import type { RouteForm } from './route-form.ts';

/** Of every answer that a model gave. */
export const disclosureHeader: readonly [name: string, value: string] = ['X-AI-Generated', '1'];

/** Beside the fields of OpenAI's API, whose clients pass over what they do not know. */
const disclosed = (value: object): object => ({ ...value, ai_generated: true });

async function* disclosedAll(pieces: AsyncIterator<object, void>): AsyncGenerator<object, void, undefined> {
  try {
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield disclosed(next.value);
  } finally {
    await pieces.return?.();
  }
}

/** A request whose answers have each of their objects marked, where they are to be. */
export function disclosing<Asked extends { readonly form: RouteForm }>(asked: Asked, isDisclosed: boolean): Asked {
  const { form } = asked;
  if (!isDisclosed) return asked;
  const marked: RouteForm = {
    ...form,
    whole: (events, usage) => disclosed(form.whole(events, usage)),
    pieces: (events, usage) => disclosedAll(form.pieces(events, usage)),
  };
  return { ...asked, form: marked };
}
