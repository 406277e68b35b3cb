/** The server's routes, as the page asks them. Types are the library's own. */
import type { DataInspection } from '../src/library/inspect-data.ts';
import type { Preview } from '../src/library/preview.ts';
import type { PlanReport } from '../src/plan/plan-variants.ts';
import type { KeptChat } from '../src/server/studio/chat-form.ts';
import type { ListedChat } from '../src/server/studio/chat-store.ts';
import type { StudioPull } from '../src/server/studio/pulls.ts';
import type { LogPage } from '../src/server/studio/run-log.ts';
import type { summaryOf } from '../src/server/studio/run-summary.ts';
import type { CollectKind } from '../src/settings/collect-settings.ts';

/** What a request was refused with. */
export class Fault extends Error {
  readonly code: string;
  readonly status: number;

  constructor(message: string, code: string, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** What went wrong as a fault; what was none is the page's own. */
export const asFault = (error: unknown): Fault =>
  error instanceof Fault ? error : new Fault(String(error), 'page', 0);

/** Nobody answers: the server is gone, or the machine slept. */
export const noServer = 'no_server';

export interface CatalogueModel {
  readonly name: string;
  readonly title: string;
  readonly license: string;
  readonly bytes: number;
  readonly here: boolean;
}
export interface MadeData {
  readonly file: UploadedFile;
  readonly rows: number;
  readonly path: string | null;
  readonly notes: readonly string[];
}
export interface AskedDataSet {
  readonly from: 'marks' | 'conversations' | 'example';
  readonly example?: 'colours' | 'intents';
  readonly chats?: readonly string[] | null;
  readonly to?: CollectKind | null;
  readonly name?: string | null;
}
export type RunSummary = ReturnType<typeof summaryOf>;
export interface RunPage extends LogPage {
  readonly run: RunSummary;
}
export interface ListedModel {
  readonly id: string;
  readonly parent: string | null;
  readonly bytes: number | null;
}
export interface StudioState {
  readonly version: string;
  readonly models: readonly ListedModel[];
  readonly cores: number;
  readonly memory: { readonly available: number; readonly total: number };
  readonly runs: string;
}
export interface UploadedFile {
  readonly id: string;
  readonly filename: string;
  readonly bytes: number;
  readonly created_at: number;
}
export type Settings = Readonly<Record<string, unknown>>;
export interface Asked {
  readonly data: readonly string[];
  readonly model: string;
  readonly settings: Settings;
}

async function faultOf(response: Response): Promise<Fault> {
  const body: unknown = await response.json().catch(() => null);
  const { error } = (body ?? {}) as { readonly error?: { readonly message: string; readonly code: string | null } };
  return new Fault(error?.message ?? `${response.status}`, error?.code ?? '', response.status);
}

/** Rejects with Fault; with the signal's reason where that is aborted. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Fault('', noServer, 0);
  }
  if (!response.ok) throw await faultOf(response);
  return response;
}

const get = async <T>(path: string, signal?: AbortSignal): Promise<T> =>
  (await (await ask(path, signal ? { signal } : {})).json()) as T;

export const posting = (body: object, signal?: AbortSignal): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'Content-Type': 'application/json' },
  ...(signal ? { signal } : {}),
});
const post = async <T>(path: string, body: object, signal?: AbortSignal): Promise<T> =>
  (await (await ask(path, posting(body, signal))).json()) as T;

const runPath = (name: string): string => `/studio/v1/runs/${encodeURIComponent(name)}`;

/** Sends a file; `told` hears how much of it is there, 0 to 1. Rejects with Fault. */
function upload(file: File, told: (share: number) => void): Promise<UploadedFile> {
  const form = new FormData();
  form.append('purpose', 'user_data');
  form.append('file', file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/v1/files');
    request.responseType = 'json';
    request.upload.onprogress = ({ loaded, total }) => told(total > 0 ? loaded / total : 0);
    request.onerror = () => reject(new Fault('', noServer, 0));
    request.onload = () => {
      const body = request.response as
        | (UploadedFile & { readonly error?: { readonly message: string; readonly code: string } })
        | null;
      if (request.status === 200 && body) resolve(body);
      else reject(new Fault(body?.error?.message ?? String(request.status), body?.error?.code ?? '', request.status));
    };
    request.send(form);
  });
}

export const api = {
  state: (signal?: AbortSignal) => get<StudioState>('/studio/v1/state', signal),
  settings: () => get<{ readonly properties: Readonly<Record<string, SettingSchema>> }>('/studio/v1/settings'),
  files: async () =>
    (await get<{ readonly data: readonly UploadedFile[] }>('/v1/files?purpose=user_data&limit=200')).data,
  upload,
  fileText: async (id: string) => (await ask(`/v1/files/${id}/content`)).text(),
  catalogue: async () => (await get<{ readonly models: readonly CatalogueModel[] }>('/studio/v1/catalogue')).models,
  pulls: async () => (await get<{ readonly pulls: readonly StudioPull[] }>('/studio/v1/pulls')).pulls,
  pull: (name: string, license: string | null) => post<StudioPull>('/studio/v1/pulls', { name, license }),
  agreePull: (id: string) => post<StudioPull>(`/studio/v1/pulls/${id}/agree`, {}),
  cancelPull: (id: string) => post<StudioPull>(`/studio/v1/pulls/${id}/cancel`, {}),
  chats: async () => (await get<{ readonly chats: readonly ListedChat[] }>('/studio/v1/chats')).chats,
  chat: (id: string) => get<{ readonly chat: KeptChat; readonly saved: string }>(`/studio/v1/chats/${id}`),
  keepChat: (id: string, chat: KeptChat, saved: string | null) =>
    post<{ readonly saved: string }>(`/studio/v1/chats/${id}`, { ...chat, saved }),
  removeChat: (id: string) => ask(`/studio/v1/chats/${id}`, { method: 'DELETE' }),
  makeData: (asked: AskedDataSet) => post<MadeData>('/studio/v1/data-sets', asked),
  removeFile: (id: string) => ask(`/v1/files/${id}`, { method: 'DELETE' }),
  preview: (asked: Asked & { readonly rows: number; readonly limit?: number }, signal: AbortSignal) =>
    post<Preview>('/studio/v1/preview', asked, signal),
  inspect: (asked: Asked, signal: AbortSignal) => post<DataInspection>('/studio/v1/inspect-data', asked, signal),
  plan: (asked: Asked, signal: AbortSignal) => post<PlanReport>('/studio/v1/plan', asked, signal),
  start: (asked: Asked & { readonly name: string | null; readonly seeds: number | null }) =>
    post<{ readonly run: string; readonly runs: readonly string[] }>('/studio/v1/runs', asked),
  runs: async (signal?: AbortSignal) =>
    (await get<{ readonly runs: readonly RunSummary[] }>('/studio/v1/runs', signal)).runs,
  run: (name: string, signal?: AbortSignal) => get<RunSummary>(runPath(name), signal),
  events: (name: string, after: number, mark: string, signal: AbortSignal) =>
    get<RunPage>(`${runPath(name)}/events?${new URLSearchParams({ after: String(after), mark })}`, signal),
  report: (name: string) => get<Settings>(`${runPath(name)}/report`),
  pageOf: (name: string) => `${runPath(name)}/page`,
  act: (job: string, action: 'pause' | 'resume' | 'cancel') =>
    ask(`/v1/fine_tuning/jobs/${job}/${action}`, { method: 'POST' }),
};

/** Of `nomoat schema tune`. */
export interface SettingSchema {
  readonly type?: string;
  readonly anyOf?: readonly SettingSchema[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
  readonly unit?: string;
  readonly default?: unknown;
}
