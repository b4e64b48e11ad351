/**
 * Does the same for each, one after the other. What fails for one holds up no other: scheduled work would begin with the same
 * one the next time, and never come to those behind it.
 *
 * @param nameOf for the message
 * @throws AggregateError when each had its turn, with what failed
 */
export async function oneByOne<T>(
  all: Iterable<T>,
  work: (one: T) => Promise<unknown>,
  nameOf: (one: T) => string = String,
): Promise<void> {
  const failed = new Map<string, unknown>();
  for (const one of all) {
    try {
      await work(one);
    } catch (error) {
      failed.set(nameOf(one), error);
    }
  }
  if (failed.size > 0)
    throw new AggregateError(failed.values(), `failed for ${[...failed.keys()].join(', ')}`);
}
