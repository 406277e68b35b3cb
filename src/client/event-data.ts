/**
 * Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html. Promises: an event is held within
 * a bound.
 */

/** A piece of an answer has some hundred bytes; an error that quotes a prompt has more. */
const maxEventLength = 4 << 20;

/** The data of each event, of several lines joined as the standard says. Throws where one is too long or no UTF-8. */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let data: string[] = [];
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop()!;
    for (const line of lines.map((each) => each.replace(/\r$/, ''))) {
      if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
      else if (line === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
      }
    }
    if (rest.length + data.reduce((sum, { length }) => sum + length, 0) > maxEventLength)
      throw new Error(`an event is longer than ${maxEventLength} characters`);
  }
}
