/** Files of this machine, or of a disk that is mounted, asked for as those of a server are: with ranges, by `file:` addresses. */
import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type HubClient, hubError } from './hub-fetch.ts';

/** Answers for files, so that what is fetched of a folder is checked, resumed and named as what is fetched of the hub. */
export const fileClient: HubClient = {
  endpoint: 'file://',
  hasToken: false,
  get: async (url, { headers, subject } = {}) => {
    const path = fileURLToPath(url);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats?.isFile())
      throw hubError('not-found', {
        part: subject ?? path,
        fault: `there is no file ${path}`,
        remedy: 'Write the catalogue of its folder anew: `indexFolder()`.',
      });
    const from = Number(/^bytes=(\d+)-$/.exec(new Headers(headers).get('range') ?? '')?.[1] ?? 0);
    const body = Readable.toWeb(createReadStream(path, { start: from })) as ReadableStream<Uint8Array>;
    const range = { 'content-range': `bytes ${from}-${stats.size - 1}/${stats.size}` };
    const response = new Response(body, from > 0 ? { status: 206, headers: range } : { status: 200 });
    return { response, hubHeaders: response.headers };
  },
  fetch: async (input) => (await fileClient.get(input instanceof Request ? input.url : input)).response,
};
