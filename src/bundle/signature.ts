/**
 * Signatures of files in the form of OpenSSF Model Signing 1.0: a Sigstore bundle with a DSSE envelope over an in-toto statement that has
 * every file's digest. Promises: PyPI's model-signing verifies what is signed here, and the other way round; what is not understood whole is
 * refused. Pure. Formats: https://github.com/ossf/model-signing-spec, https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md,
 * https://docs.sigstore.dev/about/bundle/
 */
import { createHash, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import type { SigningKey } from './signing-keys.ts';

export const signatureName = 'model.sig';
/** What git and the hub put into every repository; model-signing leaves them out, too. */
export const gitPaths = ['.git', '.gitattributes', '.github', '.gitignore'] as const;

/** SHA-256 (lower-case hex) of each file, by its path in the folder with `/`. */
export type Manifest = ReadonlyMap<string, string>;

const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const payloadType = 'application/vnd.in-toto+json';
const statementType = 'https://in-toto.io/Statement/v1';
const predicateType = 'https://model_signing/signature/v1.0';

/** DSSE's pre-authentication encoding: what is signed. */
const encoded = (payload: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `), payload]);

/** model-signing's order: of paths by their parts. */
const byParts = (left: string, right: string): number => {
  const [a, b] = [left.split('/'), right.split('/')];
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0
    ? a.length - b.length
    : b[at] === undefined
      ? 1
      : Buffer.compare(Buffer.from(a[at]!), Buffer.from(b[at]!));
};

/** SHA-256 over the raw digests, in order: what names the whole. */
function rootDigest(digests: readonly string[]): string {
  const hash = createHash('sha256');
  for (const digest of digests) hash.update(Buffer.from(digest, 'hex'));
  return hash.digest('hex');
}

/** The files of the folder called `name`, signed: the text of model.sig. */
export function signManifest(name: string, files: Manifest, { digest, hint, key }: SigningKey): string {
  const resources = [...files.keys()]
    .sort(byParts)
    .map((file) => ({ digest: files.get(file)!, algorithm: 'sha256', name: file }));
  const statement = {
    _type: statementType,
    subject: [{ name, digest: { sha256: rootDigest(resources.map((resource) => resource.digest)) } }],
    predicateType,
    predicate: {
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: [signatureName, ...gitPaths],
      },
      resources,
    },
  };
  const payload = Buffer.from(JSON.stringify(statement, null, 2));
  return JSON.stringify({
    mediaType: bundleType,
    verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType,
      signatures: [{ sig: sign(digest, encoded(payload), key).toString('base64'), keyid: '' }],
    },
  });
}

const refuse = (fault: string, cause?: unknown): NomoatError =>
  new NomoatError({
    code: 'bundle-refused',
    part: signatureName,
    fault,
    remedy: 'Do not use it: take the bundle again from whoever signed it.',
    cause,
  });

/** Base64 in its one spelling: Node passes over what is none. */
const base64 = z.string().refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'is no base64');
const bundleSchema = z.looseObject({
  mediaType: z.literal(bundleType),
  verificationMaterial: z.looseObject({ publicKey: z.looseObject({ hint: z.string() }) }),
  dsseEnvelope: z.looseObject({
    payload: base64,
    payloadType: z.literal(payloadType),
    signatures: z.array(z.looseObject({ sig: base64 })).length(1),
  }),
});
const hex = z.string().regex(/^[0-9a-f]{64}$/);
/** A path in the folder, and none out of it. */
const inside = z.string().regex(/^(?!\/)(?!(.*\/)?\.\.?(\/|$))[^\\\0]+$/);
const statementSchema = z.looseObject({
  _type: z.literal(statementType),
  predicateType: z.literal(predicateType),
  subject: z.array(z.looseObject({ name: z.string(), digest: z.looseObject({ sha256: hex }) })).length(1),
  predicate: z.looseObject({
    serialization: z.looseObject({
      method: z.literal('files'),
      hash_type: z.literal('sha256'),
      allow_symlinks: z.boolean(),
      ignore_paths: z.array(z.string()).default([]),
    }),
    resources: z.array(z.looseObject({ name: inside, algorithm: z.literal('sha256'), digest: hex })),
  }),
});

/** What a signature says. */
export interface SignedManifest {
  readonly files: Manifest;
  /** Paths that it leaves out. */
  readonly ignored: readonly string[];
  /** SHA-256 of the public key's PEM, as it names it. */
  readonly hint: string;
}

function parsed<Output>(text: string, schema: z.ZodType<Output>, what: string): Output {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(`${what} is no JSON`, error);
  }
  const { data, error } = schema.safeParse(value);
  if (data !== undefined) return data;
  const [first] = error!.issues;
  throw refuse(
    `${what} is none of model-signing 1.0 with digests of whole files (${first!.path.join('.') || 'it'}: ${first!.message})`,
  );
}

/** What the text of a model.sig signs. Without a key the signature itself is not checked, and nothing is proven by it. Throws NomoatError. */
export function readSignature(text: string, key: SigningKey | null): SignedManifest {
  const { dsseEnvelope, verificationMaterial } = parsed(text, bundleSchema, 'the signature');
  const { hint } = verificationMaterial.publicKey;
  const payload = Buffer.from(dsseEnvelope.payload, 'base64');
  if (key !== null) {
    if (hint !== key.hint)
      throw refuse(`was signed with another key (${hint.slice(0, 12)}, not ${key.hint.slice(0, 12)})`);
    let isGood: boolean;
    try {
      isGood = verify(key.digest, encoded(payload), key.key, Buffer.from(dsseEnvelope.signatures[0]!.sig, 'base64'));
    } catch {
      isGood = false;
    }
    if (!isGood) throw refuse('is not a signature of what it says: it, or what it signs, was changed');
  }
  const { predicate, subject } = parsed(payload.toString('utf8'), statementSchema, 'what is signed');
  const { resources, serialization } = predicate;
  const files = new Map(resources.map(({ digest, name }) => [name, digest]));
  if (files.size !== resources.length) throw refuse('names a file twice');
  if (rootDigest(resources.map(({ digest }) => digest)) !== subject[0]!.digest.sha256)
    throw refuse('names files whose digests are not those that it is named by');
  return { files, ignored: serialization.ignore_paths, hint };
}
