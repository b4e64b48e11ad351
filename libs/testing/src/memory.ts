import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Less than this is not worth another collection. */
const CRUMBS_BYTES = 512 * 1024;

/**
 * What this process keeps in objects and buffers, in bytes, with the rubbish taken out first: unlike resident memory it does not
 * depend on when the collector finds the time. Takes some 50 ms.
 */
export function keptBytes(): number {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  let kept = Infinity;
  // The memory of buffers that one collection finds dead is given back aside, and is by the next one.
  for (;;) {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const now = heapUsed + arrayBuffers;
    if (now > kept - CRUMBS_BYTES) return now;
    kept = now;
  }
}
