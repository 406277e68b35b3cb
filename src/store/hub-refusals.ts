/** The hub's refusals as errors: what its codes and statuses mean to whoever reads, and to whoever writes. */
import type { NomoatError } from '../errors.ts';
import { harmless } from '../words/harmless.ts';
import { type HubProblem, hubError } from './hub-problem.ts';

interface Refusal {
  readonly problem: HubProblem;
  readonly fault: string;
  readonly remedy: string;
}

/** What the hub's X-Error-Code means; it is more exact than the status (a missing repository answers 401). */
const refusalsByCode: Readonly<Record<string, Refusal>> = {
  GatedRepo: {
    problem: 'gated',
    fault: 'is gated: its owner asks you to accept a license first',
    remedy: 'Accept it on the model page of the hub, then set HF_TOKEN to a token of that account.',
  },
  RepoNotFound: {
    problem: 'not-found',
    fault: 'does not exist on the hub, or is private',
    remedy: 'Check the name, or set HF_TOKEN to a token that may read it.',
  },
  RevisionNotFound: { problem: 'not-found', fault: 'has no such revision', remedy: 'Try again, or report it.' },
  EntryNotFound: { problem: 'not-found', fault: 'is not in that repository', remedy: 'Check the name.' },
};

const refusalsByStatus: Readonly<Record<number, Refusal>> = {
  401: {
    problem: 'unauthorised',
    fault: 'needs a token (or does not exist)',
    remedy: 'Set HF_TOKEN to a token of an account that may read it.',
  },
  403: {
    problem: 'gated',
    fault: 'is refused to you: gated or private, or a network filter stands in the way',
    remedy: 'Accept its license on the hub and set HF_TOKEN to a token of that account.',
  },
  404: { problem: 'not-found', fault: 'does not exist on the hub', remedy: 'Check the name.' },
  429: { problem: 'rate-limited', fault: 'is refused for now: too many requests', remedy: 'Wait a few minutes.' },
};

/** The same of what was to be written. */
const refusedWrites: Readonly<Record<number, Refusal>> = {
  401: {
    problem: 'unauthorised',
    fault: 'takes nothing without a token that may write to it',
    remedy: 'Set HF_TOKEN to a token with write access of an account that the repository belongs to.',
  },
  403: {
    problem: 'unauthorised',
    fault: 'takes nothing with this token',
    remedy: 'Give a token with write access, of an account that the repository belongs to.',
  },
  409: { problem: 'conflict', fault: 'is there already', remedy: 'Look at what is there, or give another name.' },
  412: {
    problem: 'conflict',
    fault: 'was changed by somebody else meanwhile',
    remedy: 'Look at what is there now, then push again: what was sent is not sent again.',
  },
  413: { problem: 'refused', fault: 'is too large for the hub', remedy: 'Push fewer or smaller files.' },
  429: refusalsByStatus[429]!,
};
/** From here on it is the server that failed. */
const serverFailed = 500;
/** Of the hub's own words. */
const longestReason = 300;

const fallback = (isWrite: boolean, status: number): Refusal =>
  isWrite && status < serverFailed
    ? { problem: 'refused', fault: 'was not taken', remedy: 'Change what it names, then push again.' }
    : {
        problem: 'server',
        fault: isWrite ? 'could not be sent' : 'could not be had',
        remedy: isWrite ? 'Push again later: what was sent is not sent again.' : 'Try again later.',
      };

/** What was asked for. */
export interface Sent {
  readonly isWrite: boolean;
  readonly hasToken: boolean;
}

/** The error of an answer that is none. */
export function refusal(response: Response, hubHeaders: Headers, subject: string, sent: Sent): NomoatError {
  void response.body?.cancel();
  const { status } = response;
  const code = response.headers.get('x-error-code') ?? hubHeaders.get('x-error-code');
  const byStatus = sent.isWrite ? refusedWrites : refusalsByStatus;
  const known = (code === null ? undefined : refusalsByCode[code]) ?? byStatus[status];
  const { problem, fault, remedy } = known ?? fallback(sent.isWrite, status);
  const withToken = status === 401 && sent.hasToken ? ' The token was sent and not accepted: check it.' : '';
  const reason = sent.isWrite ? harmless(response.headers.get('x-error-message') ?? '').slice(0, longestReason) : '';
  return hubError(problem, {
    ...(sent.isWrite ? { code: 'upload-failed' as const } : {}),
    part: subject,
    fault: `${fault} (HTTP ${status}${reason === '' ? '' : `, "${reason}"`})`,
    remedy: remedy + withToken,
    fields: { status, code },
  });
}
