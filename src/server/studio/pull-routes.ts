/** Routes of the studio for models that are not here yet. */
import { basename } from 'node:path';
import { z } from 'zod';
import { listModels } from '../../library/models.ts';
import { ggufStem } from '../../store/local-scan.ts';
import { open, readParameters } from '../parameters.ts';
import { jsonOf } from '../request.ts';
import type { RouteParts, Routes } from '../routes/routes.ts';
import { Pulls } from './pulls.ts';

/** A name of the catalogue, or `organisation/name` of the hub with a quantization; no path and no address. */
const namePattern = /^(?!\.)[\w.-]+(?:\/(?!\.)[\w.-]+(?::[\w.-]+)?)?$/;

export const pullParameters = z.object({
  name: z
    .string()
    .regex(namePattern, 'expected a name of the catalogue, or organisation/name of the hub')
    .describe('a name of the catalogue, or `organisation/name[:QUANTIZATION]` of the hub'),
  license: open(z.string()).describe('which was shown already: of a model with another one it is asked'),
});

/** What can be pulled by name, with what is here already. */
async function catalogue() {
  const { catalogue: entries, local } = await listModels();
  const here = new Set(local.map(({ path }) => ggufStem(basename(path)).toLowerCase()));
  return entries.map(({ bytes, file, license, name, pypi, title }) => ({
    name,
    title,
    license,
    bytes,
    here: [file, pypi?.file].some((each) => each !== undefined && here.has(ggufStem(each).toLowerCase())),
  }));
}

export const pullRoutes = ({ closing, models }: RouteParts & { readonly closing: AbortSignal }): Routes => {
  const pulls = new Pulls(closing, () => models.forget());
  return {
    'GET /studio/v1/catalogue': async (context) => context.json({ models: await catalogue() }),
    'GET /studio/v1/pulls': (context) => context.json({ pulls: pulls.list() }),
    'POST /studio/v1/pulls': async (context) => {
      const { license = null, name } = readParameters(await jsonOf(context), pullParameters, {});
      return context.json(pulls.start(name, license));
    },
    'POST /studio/v1/pulls/:id/agree': (context) => context.json(pulls.agree(context.req.param('id') ?? '')),
    'POST /studio/v1/pulls/:id/cancel': (context) => context.json(pulls.cancel(context.req.param('id') ?? '')),
  };
};
