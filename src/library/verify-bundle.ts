/** Whether a bundle is whole, and whose it is. Promises: what was changed, added, renamed or removed is refused by name. */
import { readFileSync, statSync } from 'node:fs';
import {
  bundleFiles,
  differences,
  digestListName,
  digestsOf,
  isUnder,
  parseDigestList,
  refuseBundle,
} from '../bundle/bundle-files.ts';
import { gitPaths, readSignature, signatureName } from '../bundle/signature.ts';
import { publicKeyAt } from '../bundle/signing-keys.ts';
import { surroundings } from '../store/model-folders.ts';
import { assertGiven } from '../words/given.ts';

/** With what a bundle is held. */
export interface VerifyBundleOptions {
  /** The public key of whoever signed: a PEM file, or the name of a signing key of this user (default: the signature is not checked). */
  readonly key?: string | null;
}

/** What was found of a bundle that is whole. */
export interface VerifiedBundle {
  /** `good`: signed with that key. `unchecked`: signed, and no key was given. `none`: not signed. */
  readonly signature: 'good' | 'unchecked' | 'none';
  /** SHA-256 of the public key's PEM that the signature names; null without one. */
  readonly signedBy: string | null;
  /** SHA-256 by file. */
  readonly files: Readonly<Record<string, string>>;
  /** What should be known before it is trusted, in sentences. */
  readonly notes: readonly string[];
}

/** A signature has a line for each file. */
const mostSignatureBytes = 64 << 20;

function textAt(path: string): string {
  if (statSync(path).size > mostSignatureBytes) throw refuseBundle(path, 'is too large for what it should be');
  return readFileSync(path, 'utf8');
}

/**
 * Holds the files of the bundle in `folder` (also as an OCI image layout, or anything that PyPI's model-signing signed) against its signature
 * and its list of digests. Throws NomoatError with code `bundle-refused` where anything differs.
 */
export function verifyBundle(folder: string, { key = null }: VerifyBundleOptions = {}): VerifiedBundle {
  assertGiven('the bundle', folder);
  assertGiven('`key`', key);
  const files = bundleFiles(folder);
  const signature = files.get(signatureName);
  const signer = key === null ? null : publicKeyAt(key, surroundings());
  if (signer !== null && signature === undefined)
    throw refuseBundle(folder, 'is not signed', 'Ask whoever made it for a signed one, or verify it without a key.');
  const signed = signature === undefined ? null : readSignature(textAt(signature), signer);
  const listed = files.get(digestListName);
  if (signed === null && listed === undefined)
    throw refuseBundle(
      folder,
      `is no bundle: it has neither ${signatureName} nor ${digestListName}`,
      'Give a folder that `packBundle()` wrote.',
    );
  const ignored = [...gitPaths, ...(signed?.ignored ?? []), signatureName];
  const found = digestsOf(new Map([...files].filter(([name]) => !isUnder(name, ignored))));
  const others = new Map([...found].filter(([name]) => name !== digestListName));
  const faults = [
    ...(signed === null ? [] : differences(signed.files, found)),
    ...(listed === undefined ? [] : differences(parseDigestList(textAt(listed)), others)),
  ];
  if (faults.length > 0)
    throw refuseBundle(folder, [...new Set(faults)].join('; '), undefined, { faults: [...new Set(faults)] });
  const notes = signed === null
    ? ['It is not signed: whoever changes its files can change their digests too.']
    : signer === null
      ? [`Its signature was not checked, since no key was given: it names the key ${signed.hint}, and proves nothing without it.`]
      : []; // biome-ignore format: a choice
  return {
    signature: signed === null ? 'none' : signer === null ? 'unchecked' : 'good',
    signedBy: signed?.hint ?? null,
    files: Object.fromEntries(found),
    notes,
  };
}
