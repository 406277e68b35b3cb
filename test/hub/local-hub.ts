/**
 * A stand-in for the Hugging Face hub on a local port that keeps what is pushed to it: its protocol of repositories, branches, listings,
 * large files (LFS: in one piece or in parts) and commits, as its own Python client speaks it (bench/oracles/hub_client.py).
 * Promises: a commit is there whole or not at all; connections break after as many bytes of bodies as a test asks for.
 * https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md, https://huggingface.co/docs/hub/api
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CommitLine,
  cardOf,
  entry,
  gitOid,
  HubRepos,
  isLarge,
  Refusal,
  type StoredCommit,
  type StoredRepo,
  sha256,
} from './hub-repos.ts';

export interface LocalHubOptions {
  /** Who may write, and read what is private. */
  readonly token?: string;
  /** Large files from this size on are uploaded in parts of `partBytes`. */
  readonly partsFrom?: number;
  readonly partBytes?: number;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly bytes: number;
}

const chunkBytes = 16384;

export class LocalHub extends HubRepos {
  readonly asked: Asked[] = [];
  /** Bytes of bodies that went either way. */
  moved = 0;
  /** Since it listens. */
  endpoint = '';
  /** After how many more bytes of bodies all connections break; null: never. */
  cutAfter: number | null = null;
  /** Told when they break. */
  onCut: () => void = () => {};
  /** The hub, and where its large files lie: of another origin. */
  private readonly servers: readonly Server[];
  private storage = '';
  private readonly parts = new Map<string, Map<number, Buffer>>();
  private readonly token: string;
  private readonly partsFrom: number;
  private readonly partBytes: number;

  constructor({ partBytes = 5e6, partsFrom = 20e6, token = 'hf_local' }: LocalHubOptions = {}) {
    super();
    this.token = token;
    this.partsFrom = partsFrom;
    this.partBytes = partBytes;
    const handler = (request: IncomingMessage, response: ServerResponse): void => {
      this.answer(request, response).catch((error: unknown) => {
        if (response.destroyed || response.headersSent) return void response.destroy();
        const { code, message, status } =
          error instanceof Refusal ? error : { status: 500, code: 'Fault', message: String(error) };
        response.writeHead(status, {
          'Content-Type': 'application/json',
          'X-Error-Code': code,
          'X-Error-Message': message,
        });
        response.end(JSON.stringify({ error: message }));
      });
    };
    this.servers = [createServer(handler), createServer(handler)];
  }

  async listen(): Promise<string> {
    for (const server of this.servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    [this.endpoint = '', this.storage = ''] = this.servers.map(
      (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    return this.endpoint;
  }

  async close(): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  private move(bytes: number): void {
    this.moved += bytes;
    if (this.cutAfter === null) return;
    this.cutAfter -= bytes;
    if (this.cutAfter > 0) return;
    this.cutAfter = null;
    for (const server of this.servers) server.closeAllConnections();
    this.onCut();
  }

  private async body(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
      this.move((chunk as Buffer).length);
    }
    if (!request.complete) throw new Error('cut off');
    return Buffer.concat(chunks);
  }

  /** In pieces, so that it can break between them. */
  private async send(response: ServerResponse, body: Buffer): Promise<void> {
    for (let at = 0; at < body.length; at += chunkBytes) {
      const piece = body.subarray(at, at + chunkBytes);
      if (response.destroyed) return;
      if (!response.write(piece)) await drained(response);
      this.move(piece.length);
    }
    response.end();
  }

  private json(response: ServerResponse, value: unknown, status = 200): Promise<void> {
    const body = Buffer.from(JSON.stringify(value));
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    return this.send(response, body);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://hub');
    const [method, path] = [request.method ?? 'GET', decodeURIComponent(pathname)];
    const body = await this.body(request);
    this.asked.push({ method, path, authorization: request.headers.authorization, bytes: body.length });
    const may = request.headers.authorization === `Bearer ${this.token}`;
    for (const [wanted, pattern, writes, handler] of this.routes) {
      const match = wanted.includes(method) ? pattern.exec(path) : null;
      if (!match) continue;
      if (writes && !may) throw new Refusal(401, 'Unauthorized', 'Invalid username or password.');
      await handler({ match, body, may, request, response, searchParams });
      return;
    }
    throw new Refusal(404, 'NotFound', `${method} ${path} is not spoken here`);
  }

  private readonly routes: readonly (readonly [string, RegExp, boolean, (call: Call) => Promise<void>])[] = [
    ['GET', /^\/api\/whoami-v2$/, true, ({ response }) => this.json(response, { type: 'user', name: 'me', orgs: [] })],
    ['POST', /^\/api\/validate-yaml$/, false, ({ response }) => this.json(response, { errors: [], warnings: [] })],
    ['POST', /^\/api\/repos\/create$/, true, (call) => this.createRepo(call)],
    ['POST', /^\/api\/models\/([^/]+\/[^/]+)\/branch\/(.+)$/, true, (call) => this.createBranch(call)],
    ['POST', /^\/api\/models\/([^/]+\/[^/]+)\/preupload\/(.+)$/, true, (call) => this.preupload(call)],
    ['POST', /^\/api\/models\/([^/]+\/[^/]+)\/commit\/(.+)$/, true, (call) => this.takeCommit(call)],
    ['POST', /^\/([^/]+\/[^/]+)\.git\/info\/lfs\/objects\/batch$/, true, (call) => this.batch(call)],
    ['PUT', /^\/storage\/([0-9a-f]{64})$/, false, (call) => this.store(call)],
    ['PUT', /^\/storage\/([0-9a-f]{64})\/(\d+)$/, false, (call) => this.storePart(call)],
    ['POST', /^\/storage\/([0-9a-f]{64})\/complete$/, false, (call) => this.complete(call)],
    ['POST', /^\/storage\/verify$/, true, (call) => this.verify(call)],
    ['GET', /^\/api\/models\/([^/]+\/[^/]+)\/tree\/([^/]+)()$/, false, (call) => this.tree(call)],
    ['GET', /^\/api\/models\/([^/]+\/[^/]+)\/refs()$/, false, (call) => this.refs(call)],
    ['POST', /^\/api\/models\/([^/]+\/[^/]+)\/paths-info\/(.+)$/, false, (call) => this.tree(call)],
    ['GET', /^\/api\/models\/([^/]+\/[^/]+)\/revision\/([^/]+)$/, false, (call) => this.info(call)],
    ['GET', /^\/api\/models\/([^/]+\/[^/]+)()$/, false, (call) => this.info(call)],
    ['GET HEAD', /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/, false, (call) => this.resolve(call)],
    ['GET HEAD', /^\/cdn\/([0-9a-f]{64})$/, false, (call) => this.cdn(call)],
  ];

  private repo({ match, may }: Call): StoredRepo {
    const repo = this.repos.get(match[1]!);
    if (!repo || (repo.isPrivate && !may)) throw new Refusal(401, 'RepoNotFound', 'Repository not found');
    return repo;
  }

  private commitOf(call: Call): StoredCommit {
    const commit = this.at(this.repo(call), call.match[2] || 'main');
    if (!commit) throw new Refusal(404, 'RevisionNotFound', 'Invalid rev id');
    return commit;
  }

  private async createRepo({ body, response }: Call): Promise<void> {
    const asked = JSON.parse(String(body)) as {
      name: string;
      organization?: string;
      private?: boolean;
      visibility?: string;
    };
    const name = asked.name.includes('/') ? asked.name : `${asked.organization ?? 'me'}/${asked.name}`;
    const url = `${this.endpoint}/${name}`;
    if (this.repos.has(name))
      return this.json(response, { error: 'You already created this model repo', url, id: name }, 409);
    this.create(name, asked.private === true || asked.visibility === 'private');
    return this.json(response, { url, id: name, name });
  }

  private async createBranch(call: Call): Promise<void> {
    const repo = this.repo(call);
    const branch = call.match[2]!;
    if (repo.branches.has(branch)) throw new Refusal(409, 'Conflict', 'Reference already exists');
    const asked = JSON.parse(String(call.body) || '{}') as { startingPoint?: string };
    repo.branches.set(branch, this.at(repo, asked.startingPoint ?? 'main')!.id);
    return this.json(call.response, {});
  }

  private preupload(call: Call): Promise<void> {
    this.commitOf(call);
    const { files } = JSON.parse(String(call.body)) as { files: { path: string; size: number }[] };
    const modes = files.map(({ path, size }) => ({
      path,
      uploadMode: isLarge(path, size) ? 'lfs' : 'regular',
      shouldIgnore: false,
    }));
    return this.json(call.response, { files: modes });
  }

  private batch(call: Call): Promise<void> {
    this.repo(call);
    const { objects } = JSON.parse(String(call.body)) as { objects: { oid: string; size: number }[] };
    const inParts = objects.some(({ size }) => size >= this.partsFrom);
    const actions = ({ oid, size }: { oid: string; size: number }) => {
      const href = `${this.storage}/storage/${oid}`;
      const verify = { href: `${this.endpoint}/storage/verify`, header: {} };
      if (size < this.partsFrom) return { upload: { href, header: {} }, verify };
      const count = Math.ceil(size / this.partBytes);
      const urls = Array.from({ length: count }, (_, i) => [String(i + 1).padStart(5, '0'), `${href}/${i + 1}`]);
      return {
        upload: {
          href: `${href}/complete`,
          header: { chunk_size: String(this.partBytes), ...Object.fromEntries(urls) },
        },
        verify,
      };
    };
    const answered = objects.map((each) => (this.large.has(each.oid) ? each : { ...each, actions: actions(each) }));
    return this.json(call.response, { transfer: inParts ? 'multipart' : 'basic', objects: answered });
  }

  private async store({ body, match, response }: Call): Promise<void> {
    if (sha256(body) !== match[1]) throw new Refusal(400, 'BadDigest', 'The digest does not match');
    this.large.set(match[1]!, body);
    response.writeHead(200).end();
  }

  private async storePart({ body, match, response }: Call): Promise<void> {
    const [, oid, number] = match;
    if (!this.parts.has(oid!)) this.parts.set(oid!, new Map());
    this.parts.get(oid!)!.set(Number(number), body);
    response.writeHead(200, { ETag: `"${sha256(body).slice(0, 32)}"` }).end();
  }

  private async complete({ body, match, response }: Call): Promise<void> {
    const { parts } = JSON.parse(String(body)) as { parts: { partNumber: number; etag: string }[] };
    const kept = this.parts.get(match[1]!) ?? new Map<number, Buffer>();
    const whole = Buffer.concat(parts.map(({ partNumber }) => kept.get(partNumber) ?? Buffer.alloc(0)));
    if (sha256(whole) !== match[1]) throw new Refusal(400, 'BadDigest', 'The parts do not make the file');
    this.large.set(match[1]!, whole);
    return this.json(response, { success: true });
  }

  private async verify({ body, response }: Call): Promise<void> {
    const { oid, size } = JSON.parse(String(body)) as { oid: string; size: number };
    if (this.large.get(oid)?.length !== size) throw new Refusal(404, 'NotFound', 'Object does not exist');
    return this.json(response, {});
  }

  private takeCommit(call: Call): Promise<void> {
    const lines = String(call.body)
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as CommitLine);
    const made = this.commit(this.repo(call), call.match[2]!, lines);
    if (typeof made === 'string') throw new Refusal(made.includes('since') ? 412 : 400, 'Conflict', made);
    const commitUrl = `${this.endpoint}/${call.match[1]}/commit/${made.id}`;
    return this.json(call.response, { success: true, commitOid: made.id, commitUrl, hookOutput: '' });
  }

  private info(call: Call): Promise<void> {
    const { name, isPrivate } = this.repo(call);
    const { id, tree } = this.commitOf(call);
    const cardData = cardOf(tree.get('README.md'));
    const siblings = [...tree.keys()].map((rfilename) => ({ rfilename }));
    const tags = cardData['license'] ? [`license:${String(cardData['license'])}`] : [];
    return this.json(call.response, {
      _id: '1',
      id: name,
      modelId: name,
      sha: id,
      private: isPrivate,
      gated: false,
      disabled: false,
      downloads: 0,
      likes: 0,
      lastModified: '2026-01-01T00:00:00.000Z',
      createdAt: '2026-01-01T00:00:00.000Z',
      tags,
      cardData,
      siblings,
    });
  }

  private refs(call: Call): Promise<void> {
    const branches = [...this.repo(call).branches].map(([name, targetCommit]) => ({
      name,
      ref: `refs/heads/${name}`,
      targetCommit,
    }));
    return this.json(call.response, { branches, converts: [], tags: [] });
  }

  private tree(call: Call): Promise<void> {
    const { tree } = this.commitOf(call);
    const asked = new URLSearchParams(String(call.body)).getAll('paths');
    const type = call.request.headers['content-type'] ?? '';
    const paths = type.includes('json') ? (JSON.parse(String(call.body)) as { paths: string[] }).paths : asked;
    const listed = [...tree].filter(([path]) => paths.length === 0 || paths.includes(path));
    return this.json(
      call.response,
      listed.map(([path, file]) => entry(path, file)),
    );
  }

  private async resolve(call: Call): Promise<void> {
    const { id, tree } = this.commitOf(call);
    const file = tree.get(call.match[3]!);
    if (!file) throw new Refusal(404, 'EntryNotFound', 'Entry not found');
    const headers = { 'X-Repo-Commit': id, 'Accept-Ranges': 'bytes' };
    if (file.lfs === null) return this.range(call, file.body, { ...headers, ETag: `"${gitOid(file.body)}"` });
    const linked = { 'X-Linked-Etag': `"${file.lfs}"`, 'X-Linked-Size': String(file.body.length) };
    call.response.writeHead(302, { ...headers, ...linked, Location: `${this.storage}/cdn/${file.lfs}` }).end();
  }

  private cdn(call: Call): Promise<void> {
    const body = this.large.get(call.match[1]!);
    if (!body) throw new Refusal(404, 'EntryNotFound');
    return this.range(call, body, { ETag: `"${call.match[1]}"` });
  }

  private async range({ request, response }: Call, body: Buffer, headers: Record<string, string>): Promise<void> {
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const [first, last] = [Number(from), to === '' ? body.length - 1 : Math.min(Number(to), body.length - 1)];
    const part = body.subarray(first, last + 1);
    const isPart = request.headers.range !== undefined;
    response.writeHead(isPart ? 206 : 200, {
      ...headers,
      'Content-Length': part.length,
      ...(isPart ? { 'Content-Range': `bytes ${first}-${last}/${body.length}` } : {}),
    });
    if (request.method === 'HEAD') response.end();
    else await this.send(response, part);
  }
}

/** Until there is room again, or nobody to send to. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

interface Call {
  readonly match: RegExpExecArray;
  readonly body: Buffer;
  /** Whether the token was sent. */
  readonly may: boolean;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly searchParams: URLSearchParams;
}
