import { uuidText, uuidV5 } from '@quire/contracts/ids';
import type { SourceRecord } from '@quire/contracts/source-records';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { idOf } from './chunk-source.js';
import {
  bib,
  fill,
  ids999ff,
  instanceId,
  recordId,
  SNAPSHOT,
  TWIN_INSTANCE,
  UNKNOWN,
} from './library.js';
import { RecordWorld } from './record-world.js';

let database: TestDatabase;
let world: RecordWorld;

beforeAll(async () => {
  database = await testDatabase();
  world = await RecordWorld.start(database.url);
  await fill(world);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await database.close();
});

describe('GET /source-storage/stream/source-records', () => {
  it('gives a record a line, also where a text has separators of its own', async () => {
    const { status, headers, text } = await world.get(
      `/source-storage/stream/source-records?snapshotId=${SNAPSHOT}&orderBy=order`,
    );
    expect([status, headers['content-type']]).toEqual([200, 'application/stream+json']);
    const lines = text.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/);
    expect(lines.pop()).toBe('');
    const records = lines.map((line) => JSON.parse(line) as SourceRecord);
    expect(records.map((one) => one.order)).toEqual([0, 1, 3]);
    expect(lines[1]).toContain('Two\\u2028lines, three\\u2029lines, four\\u0085lines');
    expect(JSON.stringify(records[1])).toContain('Two\u2028lines');
  });

  it('tells from when on to ask next', async () => {
    const first = await world.get('/source-storage/stream/source-records?limit=0');
    expect(first.text).toBe('');
    const date = new Date(String(first.headers['date']));
    expect(date.getTime()).toBeLessThanOrEqual(Date.now());
    await world.send([bib('sy1', 'Came later')], { job: 'sync' });
    const { text } = await world.get(
      `/source-storage/stream/source-records?updatedAfter=${date.toISOString()}&snapshotId=${idOf('sync')}`,
    );
    expect(JSON.parse(text)).toMatchObject({ snapshotId: idOf('sync') });
  });
});

describe('POST /source-storage/stream/source-records', () => {
  const TARGET = '/source-storage/stream/source-records?idType=INSTANCE';
  const ids = [
    instanceId(1),
    UNKNOWN,
    'in1',
    TWIN_INSTANCE,
    instanceId(0, 'elsewhere'),
    instanceId(2),
    instanceId(0).toUpperCase(),
    instanceId(3),
    instanceId(1),
  ];

  it('answers with a line for each id, in their order', async () => {
    const { status, headers, text } = await world.ask('POST', TARGET, { body: ids });
    expect([status, headers['content-type']]).toEqual([200, 'application/stream+json']);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(lines.map((line) => line.requestId)).toEqual(ids);
    expect(lines.map((line) => line.reason ?? line.sourceRecord?.recordId)).toEqual([
      recordId(1),
      'not-found',
      'invalid-id',
      idOf('newer'),
      'not-found',
      'not-found',
      recordId(0),
      recordId(3),
      recordId(1),
    ]);
    expect(lines.map((line) => line.duplicates)).toEqual(
      ids.map((id) => (id === TWIN_INSTANCE ? 1 : undefined)),
    );
    expect(lines[7]?.sourceRecord?.deleted).toBe(true);
  });

  it('gives deleted records where they are asked for', async () => {
    const { text } = await world.ask('POST', `${TARGET}&deleted=true`, { body: [instanceId(2)] });
    expect(JSON.parse(text)).toMatchObject({ found: true, sourceRecord: { deleted: true } });
  });

  it('finds an older record behind a newer one that is deleted', async () => {
    const instance = idOf('instance of a deleted record');
    const options = { on999ff: 'accept' } as const;
    await world.send([bib('pa1', 'Kept', { more: [ids999ff('kept', instance)] })], {
      job: 'kept',
      options,
    });
    const gone = bib('pa2', 'Dropped', { more: [ids999ff('dropped', instance)], status: 'd' });
    await world.send([gone], { job: 'dropped', options });
    const { text } = await world.ask('POST', TARGET, { body: [instance] });
    expect(JSON.parse(text)).toMatchObject({ sourceRecord: { recordId: idOf('kept') } });
    expect(JSON.parse(text)).not.toHaveProperty('duplicates');
  });

  it('hands the same to data-export as frames', async () => {
    const frames = framesOf(await world.bytes(TARGET, ids));
    expect(frames.map(({ kind, index }) => [kind, index])).toEqual([
      [1, 0],
      [2, 1],
      [4, 2],
      [1, 3],
      [2, 4],
      [1, 5],
      [1, 6],
      [1, 7],
      [1, 8],
      [0, ids.length],
    ]);
    expect(frames[0]).toMatchObject({
      flags: 0,
      duplicates: 0,
      matchedId: recordId(1),
      externalId: instanceId(1),
    });
    expect(frames[3]).toMatchObject({ duplicates: 1, matchedId: idOf('newer') });
    expect(frames[5]).toMatchObject({ flags: 1, matchedId: recordId(2) });
    // Its leader says that it is deleted, its state does not.
    expect(frames[7]).toMatchObject({ flags: 1, matchedId: recordId(3) });
    const [stored] = await world.rows<{ content: Buffer }>(
      'select content from record_content where tenant_id = $1 and record_id = $2',
      [recordId(1)],
    );
    expect(frames[0]?.content).toEqual(stored?.content);
  });

  it('hands frames to data-export only, and only where it asks for them', async () => {
    const body = [instanceId(0)];
    const accept = 'application/octet-stream';
    for (const ask of [
      { body, accept },
      { body, issuer: 'data-export' as const },
    ]) {
      const { headers, text } = await world.ask('POST', TARGET, ask);
      expect(headers['content-type']).toBe('application/stream+json');
      expect(JSON.parse(text)).toMatchObject({ found: true });
    }
  });

  it('counts on over many ids', async () => {
    const many = Array.from({ length: 1201 }, (_, at) =>
      at % 600 === 0 ? instanceId(0) : UNKNOWN,
    );
    const frames = framesOf(await world.bytes(TARGET, many));
    expect(frames.map(({ index }) => index)).toEqual([...many.keys(), many.length]);
    expect(frames.filter(({ kind }) => kind === 1).map(({ index }) => index)).toEqual([
      0, 600, 1200,
    ]);
    const { text } = await world.ask('POST', TARGET, { body: many });
    const found = text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as Line).found);
    expect(found).toEqual(many.map((id) => id !== UNKNOWN));
  });

  it('ends at once for no ids', async () => {
    expect(framesOf(await world.bytes(TARGET, []))).toMatchObject([{ kind: 0, index: 0 }]);
    expect((await world.ask('POST', TARGET, { body: [] })).text).toBe('');
  });

  it('finds authorities and holdings by their own ids', async () => {
    const found = async (idType: string, id: string): Promise<unknown> => {
      const target = `/source-storage/stream/source-records?idType=${idType}`;
      const { text } = await world.ask('POST', target, { body: [id] });
      return (JSON.parse(text) as Line).sourceRecord?.recordId;
    };
    expect(await found('AUTHORITY', uuidV5(recordId(4), 'authority'))).toBe(recordId(4));
    expect(await found('HOLDINGS', uuidV5(recordId(5), 'holdings'))).toBe(recordId(5));
    expect(await found('AUTHORITY', instanceId(0))).toBeUndefined();
  });

  it('names to data-export all records of one id, the newest first, when it asks', async () => {
    const frames = framesOf(await world.bytes(`${TARGET}&duplicateIds=true`, ids));
    const at = ids.indexOf(TWIN_INSTANCE);
    expect(frames.filter(({ kind }) => kind === 5)).toEqual([
      { kind: 5, index: at, matchedIds: [idOf('newer'), idOf('older')] },
    ]);
    const twin = frames.findIndex(({ index }) => index === at);
    expect(frames.slice(twin, twin + 2)).toMatchObject([
      { kind: 1, duplicates: 1, matchedId: idOf('newer') },
      { kind: 5 },
    ]);
    const plain = framesOf(await world.bytes(TARGET, ids));
    expect(frames.filter(({ kind }) => kind !== 5)).toEqual(plain);
  });

  it('refuses what is no list of ids', async () => {
    const refusal = async (body: object): Promise<unknown> => {
      const { status, json } = await world.ask('POST', TARGET, { body });
      const [first] = (json as { errors: { message: string; parameters: { key: string }[] }[] })
        .errors;
      return [status, first?.message, first?.parameters[0]?.key];
    };
    expect(await refusal({ ids: [] })).toEqual([422, 'must be an array', '']);
    expect(await refusal([UNKNOWN, 7])).toMatchObject([
      422,
      expect.stringMatching(/^must match/),
      '[1]',
    ]);
    const tooMany = new Array<string>(32_768).fill('x');
    expect(await refusal(tooMany)).toEqual([422, 'size must be between 0 and 32767', '']);
  });

  it('refuses an id type that it does not know', async () => {
    const target = '/source-storage/stream/source-records?idType=ISBN';
    const { status, text } = await world.ask('POST', target, { body: [] });
    expect([status, text]).toEqual([
      400,
      "'idType' parameter is incorrect. parameter value {ISBN} is not valid: Unknown id type ISBN",
    ]);
  });
});

interface Line {
  readonly requestId: string;
  readonly found: boolean;
  readonly reason?: string;
  readonly duplicates?: number;
  readonly sourceRecord?: SourceRecord;
}

interface Frame {
  readonly kind: number;
  readonly index: number;
  readonly flags?: number;
  readonly duplicates?: number;
  readonly matchedId?: string;
  readonly externalId?: string;
  readonly content?: Buffer;
  readonly matchedIds?: readonly string[];
}

/** Source-record-storage, section 6. */
function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    const [kind, index] = [bytes.readUInt8(at + 4), bytes.readUInt32BE(at + 5)];
    frames.push(
      kind === 1
        ? {
            kind,
            index,
            flags: bytes.readUInt8(at + 9),
            duplicates: bytes.readUInt16BE(at + 10),
            matchedId: uuidText(bytes.subarray(at + 12, at + 28)),
            externalId: uuidText(bytes.subarray(at + 28, at + 44)),
            content: bytes.subarray(at + 44, end),
          }
        : kind === 5
          ? { kind, index, matchedIds: idsOf(bytes.subarray(at + 9, end)) }
          : { kind, index },
    );
    at = end;
  }
  return frames;
}

const idsOf = (bytes: Buffer): string[] =>
  Array.from({ length: bytes.length / 16 }, (_, at) =>
    uuidText(bytes.subarray(at * 16, at * 16 + 16)),
  );
