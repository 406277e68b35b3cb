/**
 * What can go wrong, by name: programs branch on the code, the exit status and the HTTP status follow from it. Codes are public and stay;
 * docs/errors.md is made from this table. Pure.
 */

/** `input`: the caller can mend it. `failed`: the machine or nomoat failed. `untrusted`: a result is not to be used. `interrupted`: stopped. */
export type ErrorKind = 'input' | 'failed' | 'untrusted' | 'interrupted';

/** What follows from a code. */
export interface CodeEntry {
  /** Who can mend it. */
  readonly kind: ErrorKind;
  /** What a server answers with. */
  readonly http: number;
  /** What happened, in a sentence. */
  readonly meaning: string;
}

const input = (http: number, meaning: string): CodeEntry => ({ kind: 'input', http, meaning });
const failed = (http: number, meaning: string): CodeEntry => ({ kind: 'failed', http, meaning });
const untrusted = (http: number, meaning: string): CodeEntry => ({ kind: 'untrusted', http, meaning });
/** As servers log a request that its client gave up. */
const gaveUp = 499;
const interrupted = (meaning: string): CodeEntry => ({ kind: 'interrupted', http: gaveUp, meaning });

/** What follows from each code, by its name. */
export const errorCodes = {
  'invalid-input': input(400, 'Something that was given will not do; no narrower code says what.'),
  'invalid-settings': input(
    400,
    'Settings, options or arguments; `fields.faults` lists all of them where there can be several.',
  ),
  'invalid-conversation': input(400, 'Messages that are no conversation, or none that the model can be asked with.'),
  'context-full': input(400, 'Prompt and answer do not fit the context; `fields` has both numbers.'),
  'data-not-found': input(404, 'No data was given, or a path of it does not exist.'),
  'unusable-data': input(422, 'Data that cannot be read as any known form.'),
  'nothing-to-learn': input(422, 'No row of the data has a token to learn; the remedy was tried on the rows.'),
  'data-changed': input(409, 'A run cannot go on: its data is another than when it began.'),
  'model-not-found': input(
    404,
    'No file, and no model on this machine or in the catalogue; `fields.nearest` has near names.',
  ),
  'model-not-pulled': input(404, 'In the catalogue, and not on this machine yet: pull it.'),
  'ambiguous-model': input(400, 'A name or folder that means several models.'),
  'unusable-model': input(
    422,
    'A GGUF file that is broken, or a model of an architecture or type that is not supported.',
  ),
  'model-closed': input(409, 'The model was closed.'),
  'no-chat-template': input(422, 'The model has no chat template, and a conversation needs one.'),
  'no-embeddings': input(400, 'The model was not trained to make vectors of texts.'),
  'unusable-chat-template': input(422, 'A chat template that cannot be read, parsed or rendered.'),
  'adapter-not-found': input(404, 'There is no adapter at that path.'),
  'unusable-adapter': input(422, 'An adapter that is broken, of an unsupported form, or made for another model.'),
  'base-not-found': input(404, 'The base model of a run is not where it was.'),
  'base-changed': input(409, 'The base model is another file than the one that was trained on.'),
  'run-not-found': input(404, 'The folder is no run.'),
  'run-exists': input(409, 'Something stands where a new run would be written; runs are never overwritten.'),
  'run-busy': input(409, 'A process is working in the run.'),
  'engine-changed': input(409, 'The run began on another engine, whose steps round otherwise.'),
  'run-done': input(409, 'The run is done, so there is nothing to resume.'),
  'run-unfinished': input(409, 'The run has no result yet.'),
  'no-adapter': input(409, 'The run trained every weight: its result is a model, there is no adapter to export.'),
  'unreadable-run': input(422, 'run.json or a checkpoint of the run is damaged.'),
  'path-exists': input(409, 'Something stands where a file or folder would be written.'),
  'unusable-export': input(422, 'The format cannot hold this adapter, model or template.'),
  'unusable-key': input(
    422,
    'A key to sign or verify with that is absent, has expired, or is of no kind that signs bundles.',
  ),
  'no-device': input(422, 'The device that was asked for is not there or does not work.'),
  'too-little-memory': input(507, 'The plan needs more memory or disk than there is; nothing was started.'),
  failed: failed(500, 'nomoat or the machine failed; no narrower code says how.'),
  'engine-missing': failed(500, 'llama.cpp could not be loaded on this machine.'),
  'engine-failed': failed(500, 'llama.cpp or onnxruntime failed at what it was asked for.'),
  'out-of-memory': failed(507, 'Memory ran out while training; the last checkpoint is good.'),
  'worker-died': failed(500, 'The training process ended without saying why; `fields` has what is known.'),
  'disk-full': failed(507, 'The disk is full.'),
  'write-failed': failed(500, 'A file could not be written.'),
  'download-failed': failed(
    502,
    'A model could not be fetched; `fields.problem` says why, such as offline, gated, not-found, checksum.',
  ),
  'upload-failed': failed(
    502,
    'Something could not be pushed; `fields.problem` says why, such as offline, unauthorised, conflict, refused.',
  ),
  'unusable-license': input(422, 'License or base of what is shared are not stated, or do not go together.'),
  'server-unreachable': failed(502, 'No server of nomoat answers at the address, or it broke off.'),
  'server-refused': input(400, 'A server refused a request; `fields` has its `status`, `code` and `param`.'),
  untrusted: untrusted(409, 'A result is not to be used; no narrower code says why.'),
  'run-diverged': untrusted(409, 'The run diverged: there is no result, and resuming would diverge again.'),
  'bundle-refused': untrusted(
    409,
    'A bundle, or its signature, is not what it says: files were changed, added, renamed or removed, or the key is another.',
  ),
  interrupted: interrupted('Stopped, before anything worth keeping was there; no narrower code says what.'),
  'run-interrupted': interrupted('The run was stopped and has a checkpoint: resume it.'),
  'run-not-begun': interrupted(
    'The run was not begun: whoever was asked said no, or it was stopped before. Nothing was written.',
  ),
} as const satisfies Readonly<Record<string, CodeEntry>>;

/** The codes that there are. */
export type ErrorCode = keyof typeof errorCodes;

/** Of an error that has no code of its own. */
export const codeOfKind = {
  input: 'invalid-input',
  failed: 'failed',
  untrusted: 'untrusted',
  interrupted: 'interrupted',
} as const satisfies Readonly<Record<ErrorKind, ErrorCode>>;

/** What the program ends with. */
export const exitStatus = { input: 2, failed: 1, untrusted: 3, interrupted: 130 } as const satisfies Readonly<
  Record<ErrorKind, number>
>;

/** Whether a value, such as that of a field of parsed JSON, is one of the codes. */
export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(errorCodes, code);

/** docs/errors.md. */
export function renderErrorCodes(): string {
  const rows = Object.entries<CodeEntry>(errorCodes).map(
    ([code, { http, kind, meaning }]) => `| \`${code}\` | ${kind} | ${exitStatus[kind]} | ${http} | ${meaning} |`,
  );
  return [
    '# Errors',
    'Every error is a `NomoatError`: `part` is at fault, `fault` says how, `remedy` what helps, `code` is for programs, `fields` has figures.',
    'Codes stay what they are; new ones may be added. An error without a code of its own has the first of its kind, so treat unknown ones by `kind`.',
    'The exit status is that of the command line, the HTTP status what a server of nomoat answers with. `npm run docs:errors` writes this page from src/error-codes.ts.',
    '',
    '| code | kind | exit | HTTP | what happened |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
