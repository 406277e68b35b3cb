/**
 * Keys that bundles are signed with: elliptic curves P-256, P-384 and P-521, as PEM files, which model-signing and OpenSSL read too. Promises:
 * only the user who made a private key reads it; a key that has run out is refused. When it runs out stands before the PEM, in the text that
 * RFC 7468 allows there.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NomoatError } from '../errors.ts';
import { writeFailure } from '../formats/atomic-write.ts';
import { nomoatCacheFolder, type Surroundings } from '../store/model-folders.ts';

/** Of curves that model-signing takes, the digest that goes with each. */
const digests: Readonly<Record<string, string>> = { prime256v1: 'sha256', secp384r1: 'sha384', secp521r1: 'sha512' };
/** A PEM has some 300 bytes. */
const mostKeyBytes = 1 << 16;
const privateFolder = 0o700;
const privateFile = 0o600;
const publicFile = 0o644;
const dayMs = 86_400_000;

/** A key, ready to sign or to verify. */
export interface SigningKey {
  readonly key: KeyObject;
  /** Of its curve, as Node names it. */
  readonly digest: string;
  /** SHA-256 of the public key's PEM (lower-case hex), which signatures name it by. */
  readonly hint: string;
}

const refuse = (part: string, fault: string, remedy: string, cause?: unknown): NomoatError =>
  new NomoatError({ code: 'unusable-key', part, fault, remedy, cause });

const folderOf = (around: Surroundings): string => join(nomoatCacheFolder(around), 'signing-keys');

/** Where the key of that name lies, or would. */
export const keyPaths = (
  name: string,
  around: Surroundings,
): { readonly private: string; readonly public: string } => ({
  private: join(folderOf(around), `${name}.pem`),
  public: join(folderOf(around), `${name}.pub.pem`),
});

/** Makes a pair on P-256 and returns where its files lie. Throws NomoatError where there is one of that name. */
export function makeKeyPair(
  name: string,
  days: number | null,
  around: Surroundings,
): { readonly private: string; readonly public: string; readonly expires: string | null } {
  const paths = keyPaths(name, around);
  if (existsSync(paths.private) || existsSync(paths.public))
    throw refuse(`the signing key ${name}`, 'exists already, and keys are never overwritten', 'Give another name.');
  const expires = days === null ? null : new Date(Date.now() + days * dayMs).toISOString();
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const head = `nomoat signing key ${name}\n${expires === null ? '' : `expires: ${expires}\n`}`;
  try {
    mkdirSync(dirname(paths.private), { recursive: true, mode: privateFolder });
    // Private from its first byte on, and never in the place of another.
    writeFileSync(paths.private, `${head}${privateKey.export({ type: 'pkcs8', format: 'pem' })}`, {
      mode: privateFile,
      flag: 'wx',
    });
    writeFileSync(paths.public, `${head}${publicKey.export({ type: 'spki', format: 'pem' })}`, {
      mode: publicFile,
      flag: 'wx',
    });
  } catch (error) {
    throw writeFailure(paths.private, error);
  }
  return { ...paths, expires };
}

/** The names of the pairs of this user, by name, and when each runs out (ISO 8601; null: never). */
export function listKeyPairs(around: Surroundings): { readonly name: string; readonly expires: string | null }[] {
  const folder = folderOf(around);
  if (!existsSync(folder)) return [];
  const ending = '.pub.pem';
  const names = readdirSync(folder).filter((name) => name.endsWith(ending));
  return names.sort().map((name) => {
    const [, expires = null] = /^expires:\s*(\S+)/m.exec(readFileSync(join(folder, name), 'utf8')) ?? [];
    return { name: name.slice(0, -ending.length), expires };
  });
}

/** The PEM in the file, without what stands before it. Throws NomoatError. */
function readPem(path: string): string {
  let text: string;
  try {
    if (statSync(path).size > mostKeyBytes) throw refuse(path, 'is too large for a key', 'Give a key as PEM.');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    throw refuse(path, `cannot be read (${(error as NodeJS.ErrnoException).code})`, 'Check the path of the key.', error);
  }
  const begin = text.indexOf('-----BEGIN');
  if (begin < 0) throw refuse(path, 'holds no key as PEM', 'Give the PEM of an elliptic-curve key.');
  const [, expires] = /^expires:\s*(\S+)/m.exec(text.slice(0, begin)) ?? [];
  if (expires !== undefined && !(Date.parse(expires) > Date.now()))
    throw refuse(path, `has expired (${expires})`, 'Ask whoever signs for a key that is valid, or sign with a new one.');
  return text.slice(begin);
} // biome-ignore format: long sentences

/** `name` as a file, or as a key of this user. */
function placeOf(name: string, kind: 'private' | 'public', around: Surroundings): string {
  if (existsSync(name)) return name;
  const path = keyPaths(name, around)[kind];
  if (/^[\w.-]+$/.test(name) && existsSync(path)) return path;
  throw refuse(
    `the key ${name}`,
    `is no file, and no signing key in ${folderOf(around)}`,
    'Give the path of a PEM file, or make a key: `addSigningKey()`.',
  );
}

function signingKey(part: string, key: KeyObject): SigningKey {
  const digest = digests[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (digest === undefined)
    throw refuse(
      part,
      `is no key on P-256, P-384 or P-521 (${key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType})`,
      'Signatures in this form take no others.',
    );
  const shown = key.type === 'private' ? createPublicKey(key) : key;
  const hint = createHash('sha256')
    .update(shown.export({ type: 'spki', format: 'pem' }))
    .digest('hex');
  return { key, digest, hint };
}

/** A private key, by its name or file, to sign with. Throws NomoatError. */
export function privateKeyAt(name: string, around: Surroundings): SigningKey {
  const path = placeOf(name, 'private', around);
  const pem = readPem(path);
  if (pem.includes('PUBLIC KEY')) throw refuse(path, 'is a public key, which cannot sign', 'Give the private one.');
  if (pem.includes('ENCRYPTED'))
    throw refuse(path, 'is encrypted', 'Write it without a password for this: `openssl pkey -in KEY -out PLAIN`.');
  try {
    return signingKey(path, createPrivateKey(pem));
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    throw refuse(path, 'is no private key that can be read', 'Give the PEM of an elliptic-curve key.', error);
  }
}

/** A public key, by its name or file, to verify with; of a private one its public half. Throws NomoatError. */
export function publicKeyAt(name: string, around: Surroundings): SigningKey {
  const path = placeOf(name, 'public', around);
  try {
    return signingKey(path, createPublicKey(readPem(path)));
  } catch (error) {
    if (error instanceof NomoatError) throw error;
    throw refuse(path, 'is no public key that can be read', 'Give the PEM of an elliptic-curve key.', error);
  }
}
