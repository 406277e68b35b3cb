/**
 * Who may use the studio's page: whoever opened an address with a token that opens once has a cookie from then on. Promises: nobody makes a
 * cookie without the secret, which only this user reads; a studio that is open lets in whom another process of this user sends; a cookie ends twelve hours after its last use; a server that is started again knows those of
 * the one before. Does not know what is asked for.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { writeFailure } from '../../formats/atomic-write.ts';
import { ApiError } from '../api-error.ts';

/** Nobody guesses 256 bits. */
const secretBytes = 32;
/** From the last use: a night passes, a page of yesterday morning has ended. */
const sessionSeconds = 12 * 3600;
/** A pass is used by the browser that is opened with it. */
const passSeconds = 600;
const passBytes = 16;
/** A cookie is made anew when it is as old as that, not with each answer. */
const renewSeconds = 600;
const privateFile = 0o600;
const privateFolder = 0o700;

const now = (): number => Math.floor(Date.now() / 1000);
const cookieName = (port: number): string => `nomoat-studio-${port}`;

/** The secret of this user; made where there is none. Throws NomoatError where it can be neither read nor written. */
function secretIn(folder: string): Buffer {
  const path = join(folder, 'studio.key');
  try {
    mkdirSync(folder, { recursive: true, mode: privateFolder });
    try {
      writeFileSync(path, randomBytes(secretBytes), { flag: 'wx', mode: privateFile });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const secret = readFileSync(path);
    if (secret.length === secretBytes) return secret;
    writeFileSync(path, randomBytes(secretBytes), { mode: privateFile });
    return readFileSync(path);
  } catch (error) {
    throw writeFailure(path, error);
  }
}

const same = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

const ended = (): ApiError =>
  new ApiError({
    status: 401,
    code: 'studio_session_ended',
    message: 'This page was opened too long ago. Run `nomoat studio` again: it opens a new one, and nothing is lost.',
  });

export class StudioDoor {
  private readonly secret: Buffer;
  private token: string | null = null;
  /** Passes that have opened: few, since each is made by a command. */
  private readonly passed = new Set<string>();

  /** `folder`: what nomoat keeps for this user. */
  constructor(folder: string) {
    this.secret = secretIn(folder);
  }

  /** A token that opens once; those before it open no more. */
  newToken(): string {
    this.token = randomBytes(secretBytes).toString('base64url');
    return this.token;
  }

  /** An address's token for the studio that another process of this user has at the port: it opens once, within some minutes. */
  newPass(port: number): string {
    const until = `${now() + passSeconds}.${randomBytes(passBytes).toString('base64url')}`;
    return `${until}.${this.sign(until, port)}`;
  }

  private takePass(pass: string, port: number): boolean {
    const [expires = '', nonce = '', signature = ''] = pass.split('.');
    const isGood = same(signature, this.sign(`${expires}.${nonce}`, port)) && Number(expires) > now();
    if (!isGood || this.passed.has(pass)) return false;
    this.passed.add(pass);
    return true;
  }

  /** Takes a token, and gives the header that sets the cookie; null where it is not the one that opens. */
  enter(token: string, port: number): string | null {
    const { token: wanted } = this;
    if (wanted !== null && same(token, wanted)) this.token = null;
    else if (!this.takePass(token, port)) return null;
    return this.cookie(port);
  }

  /**
   * Whether a request has a cookie that opens; null where it has none at all, and the cookie to send where it is due for a new one.
   * Throws ApiError where its cookie has ended, or a page of another origin makes the browser send it.
   */
  admits({ headers, socket }: IncomingMessage): { readonly renewed: string | null } | null {
    const port = socket.localPort ?? 0;
    const value = cookieIn(headers.cookie, cookieName(port));
    if (value === null) return null;
    const [expires = '', signature = ''] = value.split('.');
    if (!same(signature, this.sign(expires, port)) || !(Number(expires) > now())) throw ended();
    const site = headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin' && site !== 'none')
      throw new ApiError({ status: 403, code: 'origin_not_allowed', message: 'This web page may not use the studio.' });
    const age = sessionSeconds - (Number(expires) - now());
    return { renewed: age > renewSeconds ? this.cookie(port) : null };
  }

  private cookie(port: number): string {
    const expires = String(now() + sessionSeconds);
    return `${cookieName(port)}=${expires}.${this.sign(expires, port)}; Path=/; Max-Age=${sessionSeconds}; HttpOnly; SameSite=Strict`;
  }

  private sign(expires: string, port: number): string {
    return createHmac('sha256', this.secret).update(`studio ${port} ${expires}`).digest('base64url');
  }
}

function cookieIn(header: string | undefined, name: string): string | null {
  const pairs = (header ?? '').split(/;\s*/).map((pair) => pair.split('='));
  return pairs.find(([key]) => key === name)?.[1] ?? null;
}
