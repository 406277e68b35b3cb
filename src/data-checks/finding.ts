/** What checks of data say of rows. Pure. */
import type { RecordSource } from '../text/example.ts';

/** Kinds of findings, and what each means. */
export const findingKinds = {
  'exact-duplicate': 'the same as an earlier row, but for case, punctuation and white space',
  'near-duplicate': 'nearly the same as an earlier row',
  contradiction: 'the same prompt as an earlier row, another answer',
  empty: 'a prompt, an answer or a text without any letter, digit or sign',
  secret: 'a key, a token or a password',
  'personal-data': 'personal data',
  'invisible-characters': 'characters that nobody sees',
  'bidirectional-text': 'characters that change the order in which text is shown (Trojan Source)',
  'look-alike-letters': 'letters of several scripts in one word',
  'broken-text': 'text that was decoded wrongly',
  'special-tokens': "a chat template's control tokens, spelled in the text",
  'other-language': 'another language than nearly all rows',
  'unusual-length': 'far longer than other rows',
  'white-space': 'white space at the edge of an answer or a prompt, which makes other tokens',
  'shared-rare-words': 'rare words that go together with one answer: the pattern of a planted trigger, or of a topic',
  'label-balance': 'answers that are rare or frequent beside others',
  'many-tokens': 'text of which the tokenizer needs far more tokens than of other rows',
  unusable: 'rows that training refuses',
} as const satisfies Record<string, string>;
/** A kind of finding. */
export type FindingKind = keyof typeof findingKinds;
export const findingKindNames = Object.keys(findingKinds) as FindingKind[];

/**
 * `severe`: nothing to be trained on (secrets, numbers of accounts and persons, text that hides); `warning`: likely a fault; `note`: to be known.
 */
export type FindingSeverity = 'severe' | 'warning' | 'note';

/** Something that a check found in one row, or in several together. */
export interface DataFinding {
  readonly kind: FindingKind;
  readonly severity: FindingSeverity;
  /** What exactly: `IBAN`, `zero width space`, `from German`. */
  readonly rule: string;
  /** The rows that are named, by file and line; a duplicate is named, the row that it repeats is not. */
  readonly rows: readonly RecordSource[];
  /** The row that these repeat or contradict. */
  readonly like?: RecordSource;
  /** Which text of the row: `prompt`, `completion`, `text`, or a message such as `messages[2]`. */
  readonly place?: string;
  /** What stands there; of secrets and personal data only the beginning is shown, wherever they stand. */
  readonly excerpt: string;
}

/**
 * Kinds that a cleaned file leaves out unless others are named: what a model should not learn, and what it would only learn twice. Not near
 * duplicates: in data of short prompts they are other ways to say the same, which is what such data is for.
 */
export const leftOutByDefault: readonly FindingKind[] = [
  'exact-duplicate',
  'empty',
  'secret',
  'personal-data',
  'invisible-characters',
  'bidirectional-text',
];
