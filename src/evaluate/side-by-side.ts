/** Work that is done some at a time. Pure. */

/** Calls with 0 to `count` - 1 in order, `atOnce` of them at a time. Rejects as the first that does, and begins no more then. */
export async function sideBySide(count: number, atOnce: number, call: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      try {
        await call(next++);
      } catch (error) {
        next = count;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, work));
}
