/**
 * Whether an error says that memory ran out. Promises: only what an engine or JavaScript itself says of an allocation counts; an error of
 * ours is what it says, whatever its message quotes. Pure.
 */
import { NomoatError } from '../errors.ts';

/**
 * Texts of failed allocations: C++ (`std::bad_alloc`, `bad allocation` on Windows), onnxruntime's arenas, WebGPU, V8 and the C library.
 * A file's name may hold "alloc"; none of these phrases is likely to be one.
 */
const phrases =
  /\bbad[_ ]alloc|out of memory|\bfail(ed|ure) to allocate|\ballocation failed|cannot allocate memory|not enough memory|AllocateRawInternal|\bENOMEM\b/i;

/** Whether an engine, or JavaScript itself, could not get the memory it asked for. */
export function outOfMemory(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof NomoatError) return false;
  const { code, path } = error as NodeJS.ErrnoException;
  // The system's own codes; those of Node have an underscore.
  if (/^E[A-Z0-9]+$/.test(code ?? '')) return code === 'ENOMEM';
  // What failed may quote a file's name.
  return phrases.test(path ? error.message.replaceAll(path, '') : error.message);
}

/** Memory does not suffice for `what` with micro-batches of `tokens`, the smallest. */
export const memoryFailure = (what: string, tokens: number, cause: unknown): NomoatError =>
  new NomoatError({
    code: 'out-of-memory',
    part: what,
    fault: `memory does not suffice, not even for micro-batches of ${tokens} tokens`,
    remedy:
      'The last checkpoint is good: resume when other programs have freed memory, or start a run with a smaller `sequenceLength` or `model`.',
    kind: 'failed',
    fields: { microBatchTokens: tokens },
    cause,
  });
