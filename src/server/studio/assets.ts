/**
 * The studio's page and its files, as `npm run build` put them into dist/studio: read once, answered from memory. Promises: nothing outside that
 * folder is answered; the page may load from this server alone, and runs nothing that stands in a text.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { MiddlewareHandler } from 'hono';
import { NomoatError } from '../../errors.ts';
import { packageRoot } from '../../store/package-root.ts';
import type { Environment } from '../request.ts';
import type { StudioDoor } from './door.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.map': 'application/json',
};

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const pageHeaders = {
  'Content-Security-Policy': policy,
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

const root = '/studio/';
/** Whether a path is the page's, and not of its API. */
export const isAsset = (path: string): boolean =>
  path === '/' || path === '/studio' || (path.startsWith(root) && !path.startsWith('/studio/v1/'));

/** Throws NomoatError where the package was not built. */
function filesOf(folder: string): ReadonlyMap<string, Buffer> {
  if (!existsSync(join(folder, 'index.html')))
    throw new NomoatError({
      part: folder,
      fault: 'the studio is not there',
      remedy: 'Run `npm run build`, or install the package again.',
      kind: 'failed',
    });
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names.map(({ name, parentPath }) => join(parentPath, name));
  return new Map(paths.map((path) => [path.slice(folder.length + 1).replaceAll('\\', '/'), readFileSync(path)]));
}

const studioFolder = (): string => join(packageRoot() ?? '.', 'dist', 'studio');

/** Answers what is the page's. Throws NomoatError where it was not built. */
export function assetRoutes(door: StudioDoor, folder: string = studioFolder()): MiddlewareHandler<Environment> {
  const files = filesOf(folder);
  return async (context, next) => {
    const { path } = context.req;
    if (!isAsset(path) || context.req.method !== 'GET') return next();
    context.get('asked').noted.route = '/studio';
    for (const [name, value] of Object.entries(pageHeaders)) context.header(name, value);
    if (path === '/' || path === '/studio') return context.redirect(root, 303);
    const name = path.slice(root.length);
    if (name === 'open') {
      const { localPort = 0 } = context.env.incoming.socket;
      const cookie = door.enter(context.req.query('token') ?? '', localPort);
      if (cookie !== null) context.header('Set-Cookie', cookie);
      // The page says itself that it was not let in.
      return context.redirect(root, 303);
    }
    const file = files.get(name);
    // Each page of the studio has an address, and all are one file.
    const found = file ?? (name.startsWith('assets/') ? null : files.get('index.html')!);
    if (found === null) return context.text('There is no such file.', 404);
    const type = types[file ? extname(name) : '.html'] ?? 'application/octet-stream';
    // Names of assets have a digest in them: what is there under one is that for ever. The page itself is asked for again.
    const cache = file && name.startsWith('assets/') ? 'private, max-age=31536000, immutable' : 'no-cache';
    return context.body(new Uint8Array(found), 200, { 'Content-Type': type, 'Cache-Control': cache });
  };
}
