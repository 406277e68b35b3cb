/** Which errors a command has told already, as an event on stdout. */
const told = new WeakSet<object>();

export const tellOnce = (error: unknown): void => {
  if (typeof error === 'object' && error !== null) told.add(error);
};
export const wasTold = (error: unknown): boolean => typeof error === 'object' && error !== null && told.has(error);
