import { Reader, type Source } from './reader.js';

/**
 * Passes a source on until the signal is aborted, and then throws the signal's reason at once, also while the source
 * is silent. An error of the source is thrown as it came. Without a signal the source just passes.
 */
export async function* abortable<T>(
  source: Source<T>,
  signal?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const reader = new Reader(source);
  // One listener for the whole pass: a promise per item that waits for the signal would pile up on it.
  let interrupt: (reason: unknown) => void = () => undefined;
  const onAbort = () => interrupt(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await new Promise<IteratorResult<T, undefined>>((resolve, reject) => {
        interrupt = reject;
        reader.read().then(resolve, reject);
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await reader.close();
  }
}
