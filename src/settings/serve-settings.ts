/** The settings of the server, and of the studio, which is a server with a page. */
import { z } from 'zod';
import { openSize, text, texts, toggle, whole, wholeFrom } from './fields.ts';

const mostPort = 65535;
export const serveOptions = {
  models: texts('DIR...', 'folders whose GGUF files are served, beside those that `listModels()` lists; default: none'),
  runs: text('runs', 'DIR', 'the folder whose finished runs are served'),
  map: texts(
    'NAME=MODEL...',
    'names that scripts have for hosted models, each with the model of this machine that answers and is tuned for it; default: none',
  ),
  background: toggle(
    true,
    'train jobs in the background, at the lowest priority, so that chats do not wait for them',
    'train jobs at the priority of chats',
  ),
  trainingJobs: wholeFrom(1, 1, 'fine-tuning jobs that train at once', { unit: 'jobs' }),
  origins: texts(
    'URL...',
    'origins of web pages that may ask from a browser, such as http://localhost:5173; default: none',
  ),
  disclose: toggle(
    false,
    'marks every answer as generated: the header X-AI-Generated, and the field ai_generated in each object',
  ),
  port: whole(8080, [0, mostPort], 'where it listens; 0 takes any that is free', { unit: 'TCP port' }),
  host: text(
    '127.0.0.1',
    'ADDRESS',
    "address to listen on; another than this machine's own wants an API key, of `addApiKey()` or in NOMOAT_API_KEY",
  ),
  openToEverybody: toggle(
    false,
    'lets everybody who reaches the server chat, train, read uploaded files and delete models, without a key',
  ),
  contextSize: wholeFrom(
    null,
    1,
    'tokens of prompt and answer together, at most; default: 4096, or what a model was trained on',
    { unit: 'tokens' },
  ),
  threads: wholeFrom(null, 1, 'threads to compute with, at most: small models use one; default: physical cores', {
    unit: 'threads',
  }),
  memory: openSize(
    'SIZE',
    'memory for models, adapters and conversations together, such as 8GB; those that were used longest ago make room; default: half of what is free at the start',
  ),
};
export const serveSettings = z.object(serveOptions);

export const studioOptions = {
  models: serveOptions.models,
  runs: text('runs', 'DIR', 'the folder whose runs are shown and made'),
  port: whole(8090, [0, mostPort], 'where the page is; 0 takes any that is free', { unit: 'TCP port' }),
  open: toggle(true, 'open the page in the browser', 'only print the address'),
  background: toggle(false, 'train at the lowest priority, behind all other programs of this machine'),
  threads: serveOptions.threads,
  memory: serveOptions.memory,
};
export const studioSettings = z.object(studioOptions);
