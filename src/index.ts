export { type ErrorKind, NomoatError, type NomoatErrorOptions } from './errors.ts';
