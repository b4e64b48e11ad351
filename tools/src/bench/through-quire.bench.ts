import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { uuidV5Bytes } from '@quire/contracts/ids';
import { splitFrames } from '@quire/marc/iso2709/split';
import { uuidBytesArray } from '@quire/postgres/bulk';
import type { BenchLine } from './codec.bench.js';
import { exportAll, importFile, removeFile, storedIds, writeRecords } from './job-runs.js';
import { QuireProcess } from './quire-process.js';

/*
 * The main job end to end through the gateway, against what PostgreSQL alone needs for the same bytes on the same server in
 * the same run: COPY into one table for an import, a read by id list for an export.
 */
const RECORDS = 100_000;
const IMPORT_GOAL = 0.2;
const EXPORT_GOAL = 0.5;
const READ_IDS = 1000;
const NAMESPACE = Buffer.alloc(16, 1);

export async function throughQuireBench(records: readonly Buffer[]): Promise<BenchLine[]> {
  const file = await writeRecords(records, RECORDS);
  const output = join(tmpdir(), `quire-bench-${process.pid}-out.mrc`);
  try {
    await using quire = await QuireProcess.start();
    const plain = await PlainTable.fill(quire.databaseUrl, file);
    const client = await quire.client();
    const imported = await importFile(client, file);
    const ids = await storedIds(client);
    const exported = await exportAll(client, ids, output);
    const readSeconds = await plain.read();
    await plain.close();
    client.close();
    if (exported.exported !== RECORDS)
      throw new Error(`Exported ${exported.exported} of ${RECORDS} records.`);
    return [
      line(
        'import 100,000 records',
        imported.seconds,
        plain.copySeconds / imported.seconds,
        IMPORT_GOAL,
      ),
      line('export 100,000 ids', exported.seconds, readSeconds / exported.seconds, EXPORT_GOAL),
      { name: 'COPY of the same bytes', value: RECORDS / plain.copySeconds, unit: 'records/s' },
      {
        name: 'read of the same bytes by id list',
        value: RECORDS / readSeconds,
        unit: 'records/s',
      },
    ];
  } finally {
    await removeFile(file);
    await removeFile(output).catch(() => undefined);
  }
}

const line = (name: string, seconds: number, ratio: number, goal: number): BenchLine => ({
  name,
  value: RECORDS / seconds,
  unit: 'records/s',
  ratio,
  goal,
});

/** The yardstick: one table of ids and bytes, without anything that Quire adds. */
class PlainTable {
  private constructor(
    private readonly client: Client,
    private readonly ids: readonly Buffer[],
    readonly copySeconds: number,
  ) {}

  static async fill(databaseUrl: string, file: string): Promise<PlainTable> {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query('create table plain (id uuid primary key, content bytea not null)');
    await client.query('alter table plain alter column content set storage external');
    const bytes = await readFile(file);
    const frames = splitFrames(bytes).map((frame) =>
      bytes.subarray(frame.offset, frame.offset + frame.length),
    );
    const ids = frames.map((_, index) => uuidV5Bytes(NAMESPACE, String(index)));
    const rows = [...copyRows(ids, frames)];
    const at = performance.now();
    await pipeline(
      Readable.from(rows),
      client.query(copyFrom('copy plain from stdin (format binary)')),
    );
    return new PlainTable(client, ids, (performance.now() - at) / 1000);
  }

  /** Reads every record by lists of ids; gives the seconds. */
  async read(): Promise<number> {
    const at = performance.now();
    for (let from = 0; from < this.ids.length; from += READ_IDS) {
      const ids = uuidBytesArray(this.ids.slice(from, from + READ_IDS));
      const { rows } = await this.client.query<{ content: Buffer }>({
        text: 'select content from plain where id = any ($1::uuid[])',
        values: [ids],
      });
      if (rows.length === 0) throw new Error('The plain table has no such rows.');
    }
    return (performance.now() - at) / 1000;
  }

  async close(): Promise<void> {
    await this.client.query('drop table plain');
    await this.client.end();
  }
}

const COPY_BYTES = 1_048_576;

/** PostgreSQL's binary COPY format: signature, flags, extension; of each row its fields with their lengths; -1 at the end. */
function* copyRows(ids: readonly Buffer[], frames: readonly Buffer[]): Generator<Buffer> {
  yield Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex');
  let batch: Buffer[] = [];
  let size = 0;
  for (const [index, frame] of frames.entries()) {
    const head = Buffer.alloc(26);
    head.writeInt16BE(2, 0);
    head.writeInt32BE(16, 2);
    ids[index]?.copy(head, 6);
    head.writeInt32BE(frame.length, 22);
    batch.push(head, frame);
    size += head.length + frame.length;
    if (size < COPY_BYTES) continue;
    yield Buffer.concat(batch, size);
    batch = [];
    size = 0;
  }
  yield Buffer.concat([...batch, Buffer.from('ffff', 'hex')]);
}
