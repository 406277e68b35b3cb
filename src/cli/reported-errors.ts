/** Which errors a command has reported already, as an event on stdout. */
const reported = new WeakSet<object>();

export const markReported = (error: unknown): void => {
  if (typeof error === 'object' && error !== null) reported.add(error);
};
export const wasReported = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && reported.has(error);
