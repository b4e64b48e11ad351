import { EngineMissing } from '@quire/testing/lab/program-cache';
import { CHECKERS } from './checkers.js';

/** Fetches what looks at manifests, once per machine. What cannot be had here is said; its checks are then skipped. */
for (const { title, fetch } of CHECKERS) {
  try {
    console.log(`${title}: ${await fetch()}`);
  } catch (error) {
    if (!(error instanceof EngineMissing)) throw error;
    console.log(`${title}: not there. ${error.message}`);
  }
}
