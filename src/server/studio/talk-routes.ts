/** Routes of the studio for what is said, and for data that is made of it. */
import { z } from 'zod';
import { collectKinds } from '../../settings/collect-settings.ts';
import { wrongParameter } from '../api-error.ts';
import { open, readParameters } from '../parameters.ts';
import { jsonOf } from '../request.ts';
import { fileObject } from '../routes/files.ts';
import type { RouteParts, Routes } from '../routes/routes.ts';
import { keptChat } from './chat-form.ts';
import { conversationData, exampleData, exampleNames, type MadeData, markedData } from './data-sets.ts';

const idPattern = /^[A-Za-z0-9-]{8,64}$/;
const mostName = 64;

export const chatParameters = keptChat.extend({
  saved: z.string().nullable().describe('when the version that this one follows was saved; null of a new chat'),
});
export const dataSetParameters = z.object({
  from: z
    .enum(['marks', 'conversations', 'example'])
    .describe('marks of answers as `collect()` makes rows of them, whole conversations, or an example of the package'),
  example: open(z.enum(exampleNames)).describe('which one'),
  chats: open(z.array(z.string())).describe(
    'ids of chats; default: all, and of marks those of `POST /v1/feedback` too',
  ),
  to: open(z.enum(collectKinds)).describe('of marks; default: what they are best for'),
  name: open(z.string().trim().min(1).max(mostName)).describe('of the data set'),
});

const idOf = (id: string | undefined): string => (idPattern.test(id ?? '') ? id! : 'none');

const told = ({ file, ...made }: MadeData): object => ({ ...made, file: fileObject(file) });

export const talkRoutes = (parts: RouteParts): Routes => ({
  'GET /studio/v1/chats': (context) => context.json({ chats: parts.workspace.open().chats.list() }),
  'GET /studio/v1/chats/:id': (context) =>
    context.json(parts.workspace.open().chats.find(idOf(context.req.param('id')))),
  'POST /studio/v1/chats/:id': async (context) => {
    const { saved, ...chat } = readParameters(await jsonOf(context), chatParameters, {});
    const id = context.req.param('id') ?? '';
    if (!idPattern.test(id))
      throw wrongParameter('id', 'invalid_value', 'An id is 8 to 64 letters, digits and hyphens.');
    return context.json({ id, saved: parts.workspace.open().chats.save(id, chat, saved) });
  },
  'DELETE /studio/v1/chats/:id': (context) => {
    const id = idOf(context.req.param('id'));
    parts.workspace.open().chats.delete(id);
    return context.json({ id, deleted: true });
  },
  'POST /studio/v1/data-sets': async (context) => {
    const {
      chats = null,
      example,
      from,
      name,
      to = null,
    } = readParameters(await jsonOf(context), dataSetParameters, {});
    if (from === 'example') return context.json(told(await exampleData(parts, example ?? 'colours')));
    if (from === 'conversations')
      return context.json(told(await conversationData(parts, { chats, name: name ?? 'conversations' })));
    const options = { chats, to, name: name ?? 'marks' };
    return context.json(told(await markedData(parts, options, context.get('asked').signal)));
  },
});
