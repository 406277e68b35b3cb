/** What can go wrong between here and the hub, and the error that says so. */
import { NomoatError } from '../errors.ts';

export type HubProblem =
  | 'offline'
  | 'unauthorised'
  | 'gated'
  | 'not-found'
  | 'rate-limited'
  | 'server'
  | 'protocol'
  | 'checksum'
  | 'disk-full'
  | 'disk'
  | 'busy'
  | 'conflict'
  | 'refused'
  | 'interrupted';

interface HubFault {
  /** What could not be had. */
  readonly part: string;
  readonly fault: string;
  readonly remedy: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Of what is sent; default: of what is fetched. */
  readonly code?: 'download-failed' | 'upload-failed';
}

export function hubError(
  problem: HubProblem,
  { code = 'download-failed', fault, fields, part, remedy }: HubFault,
): NomoatError {
  return new NomoatError({ code, part, fault, remedy, kind: 'failed', fields: { problem, ...fields } });
}
