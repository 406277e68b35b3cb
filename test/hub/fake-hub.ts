/**
 * A stand-in for the Hugging Face hub on a local port: the parts of its protocol that a pull uses.
 * Promises: answers like the hub (paths, headers, status codes, a redirect to a CDN of another origin), and the faults
 * that a test asks for. Does not know the client; it records what it was asked.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeFile {
  readonly path: string;
  readonly body: Buffer;
  /** False: a plain git file, without an LFS digest. */
  readonly lfs?: boolean;
  /** Size in the listing, when it is to differ from the body's. */
  readonly statedBytes?: number;
}

export interface Seen {
  readonly server: 'hub' | 'cdn';
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

export interface FakeHubOptions {
  readonly repo: string;
  readonly files: readonly FakeFile[];
  readonly license?: string;
}

/** Faults, changed by tests while the server runs. */
export interface Faults {
  /** Status and X-Error-Code of every answer of the hub. */
  refuse: { status: number; code?: string } | null;
  /** The CDN closes the connection after so many bytes of an answer, for the first `times` answers. */
  cut: { afterBytes: number; times: number } | null;
  /** The CDN says no more after so many bytes of its first answer, and keeps the connection. */
  stall: number | null;
  /** The CDN sends a body with one byte changed. */
  corrupt: boolean;
  /** The CDN ignores Range. */
  ignoreRange: boolean;
  /** Body of the API's answers instead of JSON, like a sign-in page. */
  signInPage: boolean;
}

export class FakeHub {
  readonly commit = '0123456789abcdef0123456789abcdef01234567';
  readonly seen: Seen[] = [];
  readonly faults: Faults = {
    refuse: null,
    cut: null,
    stall: null,
    corrupt: false,
    ignoreRange: false,
    signInPage: false,
  };
  private readonly options: FakeHubOptions;
  private readonly hub: Server;
  private readonly cdn: Server;

  constructor(options: FakeHubOptions) {
    this.options = options;
    this.hub = createServer((request, response) => this.answerHub(request, response));
    this.cdn = createServer((request, response) => this.answerCdn(request, response));
  }

  /** Listens on two free ports; resolves to the endpoint. */
  async listen(): Promise<string> {
    for (const server of [this.hub, this.cdn]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return origin(this.hub);
  }

  async close(): Promise<void> {
    for (const server of [this.hub, this.cdn]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  /** Requests for a file's bytes that the CDN saw. */
  get downloads(): Seen[] {
    return this.seen.filter((request) => request.server === 'cdn');
  }

  private record(server: 'hub' | 'cdn', { url, headers }: IncomingMessage): void {
    this.seen.push({ server, path: url ?? '', authorization: headers.authorization, range: headers.range });
  }

  private answerHub(request: IncomingMessage, response: ServerResponse): void {
    this.record('hub', request);
    const { refuse, signInPage } = this.faults;
    if (refuse !== null) {
      response.writeHead(refuse.status, refuse.code === undefined ? {} : { 'X-Error-Code': refuse.code });
      response.end('refused');
      return;
    }
    const { pathname } = new URL(request.url ?? '/', 'http://fake');
    const { repo } = this.options;
    if (signInPage) {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>Please sign in</html>');
    } else if (pathname.startsWith(`/api/models/${repo}/revision/`)) {
      const tags = this.options.license === undefined ? [] : [`license:${this.options.license}`];
      json(response, { _id: '1', id: repo, sha: this.commit, private: false, gated: false, tags });
    } else if (pathname === `/api/models/${repo}/tree/${this.commit}`) {
      json(response, this.options.files.map(treeEntry));
    } else if (pathname.startsWith(`/${repo}/resolve/${this.commit}/`)) {
      this.redirectToCdn(pathname, response);
    } else {
      response.writeHead(404, { 'X-Error-Code': 'RepoNotFound' }).end();
    }
  }

  private redirectToCdn(pathname: string, response: ServerResponse): void {
    const path = decodeURIComponent(pathname.split(`/resolve/${this.commit}/`)[1]!);
    const file = this.options.files.find((each) => each.path === path);
    if (file === undefined) {
      response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
      return;
    }
    const headers = {
      'X-Repo-Commit': this.commit,
      'X-Linked-Etag': `"${sha256(file.body)}"`,
      'X-Linked-Size': String(file.body.length),
      Location: `${origin(this.cdn)}/blob/${encodeURIComponent(path)}`,
    };
    response.writeHead(302, headers).end();
  }

  private answerCdn(request: IncomingMessage, response: ServerResponse): void {
    this.record('cdn', request);
    const path = decodeURIComponent((request.url ?? '').replace('/blob/', ''));
    const file = this.options.files.find((each) => each.path === path)!;
    const body = Buffer.from(file.body);
    if (this.faults.corrupt) body[body.length - 1]! ^= 1;
    const from = this.faults.ignoreRange ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const rest = body.subarray(from);
    const headers: Record<string, string> = { 'Content-Length': String(rest.length) };
    if (from > 0) headers['Content-Range'] = `bytes ${from}-${body.length - 1}/${body.length}`;
    response.writeHead(from > 0 ? 206 : 200, headers);
    const { cut, stall } = this.faults;
    if (stall !== null) {
      this.faults.stall = null;
      response.write(rest.subarray(0, stall));
      return;
    }
    if (cut === null || cut.times === 0) {
      response.end(rest);
      return;
    }
    cut.times--;
    response.write(rest.subarray(0, cut.afterBytes), () => response.destroy());
  }
}

function origin(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function treeEntry({ path, body, lfs = true, statedBytes: size = body.length }: FakeFile): Record<string, unknown> {
  const common = { type: 'file', path, size, oid: createHash('sha1').update(body).digest('hex') };
  return lfs ? { ...common, lfs: { oid: sha256(body), size, pointerSize: 130 } } : common;
}

export function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}
