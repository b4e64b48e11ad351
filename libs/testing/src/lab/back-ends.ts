import { appendFileSync } from 'node:fs';
import { environment, lab } from './config.js';

/*
 * What the worlds of the tests really stood on. Each tells it as it starts, in one line of JSON at the end of the file that
 * QUIRE_TEST_BACK_ENDS names; `tools/test.mjs` counts the lines. Without that setting nobody wants to know.
 */
export interface BackEnds {
  /** Who the world is of: `stories`, or a service. */
  readonly world: string;
  readonly kafka: boolean;
  readonly s3: boolean;
}

export function tellBackEnds({ world, kafka, s3 }: BackEnds): void {
  const file = environment['QUIRE_TEST_BACK_ENDS'];
  if (!file) return;
  const events = kafka ? `over ${lab.kafka?.engine ?? 'Kafka'}` : 'in process';
  const files = s3 ? `in ${lab.s3?.engine ?? 'S3'}` : 'on disk';
  appendFileSync(file, `${JSON.stringify({ world, events, files })}\n`);
}
