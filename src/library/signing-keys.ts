/** Keys that bundles are signed with. */
import { listKeyPairs, makeKeyPair } from '../bundle/signing-keys.ts';
import { NomoatError } from '../errors.ts';
import { surroundings } from '../store/model-folders.ts';

/** What a new signing key is called, and how long it is good for. */
export interface AddSigningKeyOptions {
  /** 1 to 64 letters, digits, dots, hyphens and underscores (default: `default`). */
  readonly name?: string;
  /** Days that it may be used for (default: no end). */
  readonly days?: number | null;
}

/** Where a new pair lies. */
export interface NewSigningKey {
  /** The half that signs: nobody else may have it. */
  readonly private: string;
  /** The half that others verify with: give it to them. */
  readonly public: string;
  /** ISO 8601; null: never. */
  readonly expires: string | null;
}

const wrong = (part: string, fault: string, remedy: string): NomoatError =>
  new NomoatError({ code: 'invalid-settings', part, fault, remedy });

/** Makes a pair on the curve P-256. Throws NomoatError, also where there is one of that name. */
export function addSigningKey({ days = null, name = 'default' }: AddSigningKeyOptions = {}): NewSigningKey {
  if (typeof name !== 'string' || !/^(?!\.)[\w.-]{1,64}$/.test(name))
    throw wrong(
      '`name`',
      `${JSON.stringify(name)} is no name of a key`,
      'Give 1 to 64 letters, digits, dots, hyphens and underscores.',
    );
  if (days !== null && !(Number.isSafeInteger(days) && days > 0))
    throw wrong('`days`', `${days} is no whole number from 1`, 'Give one.');
  return makeKeyPair(name, days, surroundings());
}

/** A pair that there is. */
export interface SigningKeyPair {
  readonly name: string;
  /** ISO 8601; null: never. */
  readonly expires: string | null;
}

/** The pairs of this user, by name. */
export const listSigningKeys = (): readonly SigningKeyPair[] => listKeyPairs(surroundings());
