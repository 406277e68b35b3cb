/**
 * Chats of the studio, a file each: `chats/ID.json` as its page shows it, `conversations/ID.jsonl` as data sets have it. Promises: what was
 * answered with success is on the disk; a chat that another tab has saved meanwhile is not written over.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NomoatError } from '../../errors.ts';
import { writeFailure, writeFileAtomic } from '../../formats/atomic-write.ts';
import { ApiError } from '../api-error.ts';
import { chatSummary, conversationsOf, type KeptChat, keptChat } from './chat-form.ts';

const ending = '.json';

export interface ListedChat extends ReturnType<typeof chatSummary> {
  readonly id: string;
  /** When it was saved: milliseconds since 1970, as a text. Whoever saves says which they knew. */
  readonly saved: string;
}

const notThere = (id: string): ApiError =>
  new ApiError({ status: 404, code: 'chat_not_found', param: 'id', message: `There is no chat '${id}' here.` });

export class ChatStore {
  private readonly chats: string;
  private readonly conversations: string;
  /** Of files that did not change since. */
  private readonly known = new Map<string, ListedChat>();

  /** `folder`: of the server's state. Nothing is written before there is a chat. */
  constructor(folder: string) {
    this.chats = join(folder, 'chats');
    this.conversations = join(folder, 'conversations');
  }

  /** The newest first. */
  list(): ListedChat[] {
    return this.ids().map((id) => this.listed(id));
  }

  /** Throws ApiError where there is none of that id. */
  find(id: string): { readonly chat: KeptChat; readonly saved: string } {
    return { chat: this.read(id), saved: this.savedAt(id)! };
  }

  /** `known`: when the caller's version was saved; null of a new one. Throws ApiError where there is another version. */
  save(id: string, chat: KeptChat, known: string | null): string {
    if (this.savedAt(id) !== known)
      throw new ApiError({
        status: 409,
        code: 'chat_changed',
        message: 'This chat was changed in another tab meanwhile: load this page again to go on with that one.',
      });
    try {
      for (const folder of [this.chats, this.conversations]) mkdirSync(folder, { recursive: true });
      writeFileAtomic(this.pathOf(id), JSON.stringify(chat));
      const created = new Date().toISOString();
      const lines = conversationsOf(chat).map((each) => `${JSON.stringify({ ...each, chat: id, created })}\n`);
      if (lines.length > 0) writeFileAtomic(this.conversationsPath(id), lines.join(''));
      else rmSync(this.conversationsPath(id), { force: true });
    } catch (error) {
      throw error instanceof NomoatError ? error : writeFailure(this.pathOf(id), error);
    }
    return this.savedAt(id)!;
  }

  /** Throws ApiError where there is none of that id. */
  delete(id: string): void {
    if (this.savedAt(id) === null) throw notThere(id);
    for (const path of [this.pathOf(id), this.conversationsPath(id)]) rmSync(path, { force: true });
  }

  /** Files of conversations: of all chats, or of those. */
  filesOf(ids: readonly string[] | null): string[] {
    const wanted = ids ?? this.ids();
    for (const id of ids ?? []) if (this.savedAt(id) === null) throw notThere(id);
    return wanted.map((id) => this.conversationsPath(id)).filter((path) => existsSync(path));
  }

  /** Of all chats, the one that was saved last first. */
  private ids(): string[] {
    if (!existsSync(this.chats)) return [];
    const all = readdirSync(this.chats).flatMap((name) => {
      if (!name.endsWith(ending)) return [];
      const id = name.slice(0, -ending.length);
      return [{ id, saved: Number(this.savedAt(id) ?? 0) }];
    });
    return all.sort((a, b) => b.saved - a.saved).map(({ id }) => id);
  }

  private pathOf(id: string): string {
    return join(this.chats, `${id}${ending}`);
  }

  private conversationsPath(id: string): string {
    return join(this.conversations, `${id}.jsonl`);
  }

  private savedAt(id: string): string | null {
    const stat = statSync(this.pathOf(id), { throwIfNoEntry: false });
    return stat ? String(stat.mtimeMs) : null;
  }

  private read(id: string): KeptChat {
    if (this.savedAt(id) === null) throw notThere(id);
    const path = this.pathOf(id);
    try {
      return keptChat.parse(JSON.parse(readFileSync(path, 'utf8')));
    } catch (cause) {
      throw new NomoatError({
        part: path,
        fault: 'is no chat of the studio',
        remedy: 'Move the file away: the others are not touched.',
        kind: 'failed',
        cause,
      });
    }
  }

  private listed(id: string): ListedChat {
    const saved = this.savedAt(id) ?? '0';
    const before = this.known.get(id);
    if (before?.saved === saved) return before;
    const now = { id, saved, ...this.summaryOf(id) };
    this.known.set(id, now);
    return now;
  }

  /** One file that cannot be read hides no other: it is listed with what is wrong as its title. */
  private summaryOf(id: string): ReturnType<typeof chatSummary> {
    try {
      return chatSummary(this.read(id));
    } catch (error) {
      const title = error instanceof Error ? error.message : id;
      return { title, models: [], turns: 0, answers: 0, marks: { good: 0, bad: 0, better: 0 }, votes: [] };
    }
  }
}
