/**
 * Waits for work no longer than a time. The work itself goes on.
 * @param ms milliseconds
 * @param late message of the error if the work takes longer
 * @throws Error if the work takes longer, and what the work throws
 */
export async function within<T>(ms: number, work: Promise<T>, late = `no answer within ${ms} ms`): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(late)), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
