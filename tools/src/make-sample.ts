/**
 * Writes the sample that comes with Quire, `apps/quire/sample/sample.mrc`: 300 made-up bibliographic records, from which
 * the demonstration and the first steps of a user start. Always the same bytes; the file is committed.
 *
 *   node tools/dist/src/make-sample.js
 */

import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { generateMarc } from '@quire/testing/marc';

const SEED = 2_709;
const RECORDS = 300;
/** Longer ones are left out: the file is to stay below 400 kB, and the sample is looked at by people. */
const RECORD_BYTES_MAX = 2_200;

const sample = fileURLToPath(new URL('../../../apps/quire/sample/sample.mrc', import.meta.url));

/** The first records that are short enough. */
function* shortRecords(): Generator<Buffer> {
  let count = 0;
  for (const bytes of generateMarc(SEED, RECORDS * 10)) {
    if (bytes.length > RECORD_BYTES_MAX) continue;
    yield bytes;
    if (++count === RECORDS) return;
  }
}

await mkdir(dirname(sample), { recursive: true });
await pipeline(Readable.from(shortRecords()), createWriteStream(sample));
