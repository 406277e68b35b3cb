/** Bounds of the server, so that nothing a client does or leaves undone takes the machine. Tests give smaller ones. */
export interface ServerLimits {
  /** A conversation that fills the longest contexts of today (a million tokens) has some four million characters; all connections hold half a gigabyte. */
  readonly bodyBytes: number;
  /** Of an uploaded file, as OpenAI bounds it. */
  readonly fileBytes: number;
  /** Of a part of an upload, likewise. */
  readonly partBytes: number;
  /** Until all headers are there; a client that sends them byte by byte would hold its connection for ever. */
  readonly headersMilliseconds: number;
  /**
   * In this time a request that is not whole yet has to come nearer by `progressBytes`, and an answer that waits to be read by anything.
   * There is no limit for the whole: a file of half a gigabyte takes what the network takes.
   */
  readonly progressMilliseconds: number;
  /** A slow mobile network carries that in a second; byte by byte, a connection would be held for ever. */
  readonly progressBytes: number;
  /** A connection without a request is closed; clients open another one by themselves. */
  readonly keepAliveMilliseconds: number;
  /** Each takes a socket and buffers; more than queues can hold would only be refused. */
  readonly connections: number;
  /** Answers that one context computes side by side: more share what a batch gains, and each holds the memory of a whole conversation. */
  readonly sequences: number;
  /** Requests at the same model beside those; whoever would wait behind more had better come again. */
  readonly waitingPerModel: number;
  /** When one that was refused may come again: about a short answer of a small model. */
  readonly retryAfterSeconds: number;
  /** Answers to one request, `n` times prompts: the model is not free for others meanwhile. */
  readonly choices: number;
  /** What running requests get to end when the server closes; supervisors kill after ten seconds. */
  readonly graceMilliseconds: number;
  /** The folders of models are read again after this, so that a run that ends is there without a restart. */
  readonly listMilliseconds: number;
}

export const serverLimits: ServerLimits = {
  bodyBytes: 4 << 20,
  fileBytes: 512 << 20,
  partBytes: 64 << 20,
  headersMilliseconds: 10_000,
  progressMilliseconds: 30_000,
  progressBytes: 32 << 10,
  keepAliveMilliseconds: 5_000,
  connections: 128,
  sequences: 16,
  waitingPerModel: 16,
  retryAfterSeconds: 2,
  choices: 16,
  graceMilliseconds: 5_000,
  listMilliseconds: 1_000,
};
