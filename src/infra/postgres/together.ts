/**
 * Waits for statements of one transaction that were sent in one go. If one fails, those after it only say that the transaction is
 * aborted: the error of the first one is what went wrong.
 * @param sent in the order in which the statements were sent
 * @throws the error of the first one that failed, once all are over
 */
export async function together<Results extends readonly unknown[]>(
  ...sent: { [Index in keyof Results]: Promise<Results[Index]> | Results[Index] }
): Promise<Results> {
  const settled = await Promise.allSettled(sent);
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  }) as unknown as Results;
}
