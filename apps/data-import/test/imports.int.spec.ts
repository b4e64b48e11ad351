import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import type { ChunkCounts, ChunkError } from '@quire/contracts/source-record-events';
import { MARCXML_NAMESPACE } from '@quire/marc/marcxml-write';
import { TenantKey } from '@quire/object-store/tenant-key';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { Dispatch } from '../src/usecases/dispatch.js';
import {
  ImportWorld,
  OTHER_TENANT,
  PROFILE_ID,
  TENANT,
  USER_ID,
  type Answer,
} from './import-world.js';

const record = (name: string): Buffer =>
  marcRecord({
    fields: [
      ['001', name],
      ['245', '10', { a: `Title of ${name}` }],
    ],
  });
const joined = (...parts: readonly (Buffer | string)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
/** So many chunks and one record. */
const chunksOf = (count: number): Buffer =>
  joined(...Array<Buffer>((count - 1) * 1000 + 1).fill(record('x')));

const counted = (counts: Partial<ChunkCounts>): ChunkCounts => ({
  created: 0,
  updated: 0,
  unchanged: 0,
  failed: 0,
  warned: 0,
  byType: {},
  warnings: {},
  ...counts,
});

describe('an import', () => {
  let database: TestDatabase;
  let world: ImportWorld;

  beforeAll(async () => {
    database = await testDatabase();
    world = await ImportWorld.start(database.url);
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await database.close();
  });

  const one = async (jobId: string): Promise<ChunkReadyPayload> => {
    const [chunk] = await world.sent.of(jobId, 1);
    return chunk!;
  };
  const chunkRows = (jobId: string): Promise<{ state: string; attempt: number }[]> =>
    world.rows('select * from job_chunk where tenant_id = $1 and job_id = $2 order by chunk_no', [
      jobId,
    ]);
  const errorsOf = (chunk: ChunkReadyPayload, code: string): ChunkError[] => {
    let at = chunk.offset;
    return Array.from({ length: chunk.count }, (_, index) => {
      const [skipped = 0, len = 0] = chunk.frames.slice(2 * index, 2 * index + 2);
      const error = { o: chunk.firstOrder + index, at: at + skipped, len, c: code };
      at += skipped + len;
      return error;
    });
  };
  const logOf = async (jobId: string, query = ''): Promise<Answer['json']> =>
    (await world.get(`/metadata-provider/jobLogEntries/${jobId}?errorsOnly=true${query}`)).json;
  const failedBytes = async (jobId: string): Promise<Buffer> =>
    (await world.get(`/data-import/jobExecutions/${jobId}/failedRecords.mrc`)).bytes;

  it('sends its chunks with all that is needed to save them', async () => {
    const [first, second] = [record('a1'), record('a2')];
    const { jobId, fileId } = await world.start(joined(first, '\r\n', second), 'dir/spring.mrc');
    const chunk = await one(jobId);
    expect(chunk).toMatchObject({
      tenantId: TENANT,
      jobExecutionId: jobId,
      chunkId: uuidV5(jobId, 'chunk:0'),
      chunkNo: 0,
      attempt: 1,
      offset: 0,
      length: first.length + 2 + second.length,
      format: 'MARC_RAW',
      frames: [0, first.length, 2, second.length],
      firstOrder: 0,
      count: 2,
      userName: 'ann',
      userId: USER_ID,
      source: { fileDefinitionId: fileId },
      snapshot: { status: 'PARSING_IN_PROGRESS', processingStartedDate: expect.any(String) },
      profile: { id: PROFILE_ID, recordTypes: ['MARC_BIB'], match: 'none' },
    });
    const stored = await world.isolated.store.get(TenantKey.parse(chunk.objectKey));
    expect(joined(...(await stored.toArray()))).toEqual(joined(first, '\r\n', second));
    expect(await world.job(jobId)).toMatchObject({
      status: 'PARSING_IN_PROGRESS',
      uiStatus: 'RUNNING',
      fileName: 'spring.mrc',
      jobProfileInfo: { id: PROFILE_ID, dataType: 'MARC', hidden: false },
      progress: { current: 0, total: 2 },
    });
  });

  it('is committed when all its records are saved', async () => {
    const { jobId } = await world.start(joined(record('b1'), record('b2'), record('b3')));
    const counts = counted({
      created: 1,
      updated: 1,
      unchanged: 1,
      warned: 1,
      warnings: { TAG: 2 },
    });
    await world.saved(await one(jobId), { counts });
    const job = await world.job(jobId);
    expect(job).toMatchObject({
      status: 'COMMITTED',
      uiStatus: 'RUNNING_COMPLETE',
      result: 'SUCCESS',
      completedDate: expect.any(String),
      progress: { current: 3, total: 3 },
      totalRecordsInFile: 3,
    });
    expect(await world.details(jobId)).toMatchObject({
      result: 'SUCCESS',
      counts: { total: 3, created: 1, updated: 1, unchanged: 1, failed: 0, warned: 1 },
      messages: [],
      warnings: { TAG: 2 },
      source: { fileName: 'records.mrc', bytes: expect.any(Number) },
    });
    expect(await logOf(jobId)).toEqual({ entries: [], totalRecords: 0 });
    expect(await failedBytes(jobId)).toEqual(Buffer.alloc(0));
  });

  it('ends partial when a record fails, and says which, why, and gives it back byte for byte', async () => {
    const frames = [record('c1'), record('c2'), record('c3')];
    const { jobId } = await world.start(joined(frames[0]!, '\n\n', frames[1]!, frames[2]!));
    const chunk = await one(jobId);
    const [, second, third] = errorsOf(chunk, 'EXISTING_999FF');
    const errors = [
      { ...third!, c: 'STORE' },
      { ...second!, t: 'B', n: 'Title of c2', h: 'c2' },
    ];
    await world.saved(chunk, { counts: counted({ created: 1, failed: 2 }), errors });
    expect(await world.job(jobId)).toMatchObject({
      status: 'ERROR',
      uiStatus: 'ERROR',
      result: 'PARTIAL',
      progress: { current: 3, total: 3 },
    });
    const nothing = { idList: [], hridList: [] };
    const { entries, totalRecords } = await logOf(jobId);
    expect(totalRecords).toBe(2);
    expect(entries[0]).toMatchObject({
      jobExecutionId: jobId,
      incomingRecordId: uuidV5(jobId, 'file:1'),
      sourceRecordOrder: '1',
      sourceRecordTitle: 'Title of c2',
      sourceRecordActionStatus: 'DISCARDED',
      sourceRecordType: 'MARC_BIBLIOGRAPHIC',
      error:
        '{"error":"A new Instance was not created because the incoming record already contained a 999ff$s or 999ff$i field"}',
      sourceRecordTenantId: TENANT,
      relatedInstanceInfo: nothing,
      relatedInvoiceInfo: nothing,
      relatedHoldingsInfo: [],
      relatedItemInfo: [],
    });
    expect(entries[1]).toMatchObject({
      sourceRecordOrder: '2',
      sourceRecordTitle: 'No content',
      error: `{"errors":[{"name":"STORE","message":"The record could not be stored (record 3, byte ${third!.at})"}]}`,
    });
    const page = await logOf(jobId, '&offset=1&limit=1');
    expect(page).toEqual({ entries: [entries[1]], totalRecords: 2 });
    const answer = await world.get(`/data-import/jobExecutions/${jobId}/failedRecords.mrc`);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/marc');
    expect(answer.bytes).toEqual(joined(frames[1]!, frames[2]!));
  });

  it('fails when no record is saved', async () => {
    const file = joined(record('d1'), record('d2'));
    const { jobId } = await world.start(file);
    const chunk = await one(jobId);
    await world.saved(chunk, {
      counts: counted({ failed: 2 }),
      errors: errorsOf(chunk, 'RECORD_TYPE'),
    });
    expect(await world.job(jobId)).toMatchObject({ status: 'ERROR', result: 'FAILED' });
    expect(await failedBytes(jobId)).toEqual(file);
  });

  it('has at most four chunks out, and sends the next when one comes home', async () => {
    const { jobId } = await world.start(chunksOf(6));
    const four = await world.sent.of(jobId, 4);
    await world.isolated.settled();
    expect(four.map(({ chunkNo }) => chunkNo)).toEqual([0, 1, 2, 3]);
    expect((await chunkRows(jobId)).map(({ state }) => state)).toEqual([
      ...Array<string>(4).fill('RELEASED'),
      ...Array<string>(2).fill('WAITING'),
    ]);
    await world.saved(four[2]!);
    const five = await world.sent.of(jobId, 5);
    expect(five[4]).toMatchObject({ chunkNo: 4, firstOrder: 4000, count: 1000, attempt: 1 });
    expect(await world.job(jobId)).toMatchObject({
      status: 'PARSING_IN_PROGRESS',
      progress: { current: 1000, total: 5001 },
    });
    for (const chunk of [five[4]!, five[3]!, five[1]!, five[0]!]) await world.saved(chunk);
    const six = await world.sent.of(jobId, 6);
    expect((await world.job(jobId)).status).toBe('PARSING_IN_PROGRESS');
    await world.saved(six[5]!);
    expect(await world.job(jobId)).toMatchObject({
      status: 'COMMITTED',
      progress: { current: 5001, total: 5001 },
    });
  });

  it('has one chunk out when a record may refer to an earlier one', async () => {
    const holdings = marcRecord({ leader: '00000nx  a2200000   4500', fields: [['001', 'h1']] });
    const { jobId } = await world.start(joined(holdings, chunksOf(2)));
    const chunk = await one(jobId);
    await world.isolated.settled();
    expect((await chunkRows(jobId)).map(({ state }) => state)).toEqual(['RELEASED', 'WAITING']);
    await world.saved(chunk);
    const [, next] = await world.sent.of(jobId, 2);
    await world.saved(next!);
    expect((await world.job(jobId)).status).toBe('COMMITTED');
  });

  it('counts a chunk once, however often and in whatever words it is answered', async () => {
    const { jobId } = await world.start(chunksOf(2));
    const [first, second] = await world.sent.of(jobId, 2);
    await world.saved(first!);
    await world.saved(first!);
    await world.saved(first!, {
      counts: counted({ failed: 1000 }),
      errors: errorsOf(first!, 'STORE').slice(0, 9),
    });
    await world.rejected(first!, 'STORE');
    expect((await world.job(jobId)).progress).toMatchObject({ current: 1000, total: 1001 });
    await world.saved(second!);
    const job = await world.job(jobId);
    expect(job).toMatchObject({ status: 'COMMITTED', progress: { current: 1001 } });
    await world.saved(second!, { counts: counted({ failed: 1 }) });
    expect(await world.job(jobId)).toEqual(job);
    expect((await logOf(jobId)).totalRecords).toBe(0);
  });

  it('ends with a reason when its file is gone', async () => {
    const { jobId } = await world.start(joined(record('e1'), record('e2')));
    await world.rejected(await one(jobId), 'FILE_MISSING');
    expect(await world.job(jobId)).toMatchObject({
      status: 'ERROR',
      result: 'FAILED',
      progress: { current: 2, total: 2 },
    });
    const { messages, counts } = await world.details(jobId);
    expect(messages).toContainEqual({
      code: 'FILE_MISSING',
      text: 'The uploaded file is gone',
      date: expect.any(String),
    });
    expect(counts).toMatchObject({ failed: 2 });
  });

  it('ends when a chunk is given up for another reason: each of its records is a failed one', async () => {
    const { jobId } = await world.start(chunksOf(2));
    const [first, second] = await world.sent.of(jobId, 2);
    await world.saved(first!);
    await world.rejected(second!, 'STORE');
    expect(await world.job(jobId)).toMatchObject({ status: 'ERROR', result: 'PARTIAL' });
    expect((await logOf(jobId)).entries).toMatchObject([
      { sourceRecordOrder: '1000', error: expect.stringContaining('"name":"STORE"') },
    ]);
    expect(await failedBytes(jobId)).toEqual(record('x'));
  });

  it('takes a long list of errors from its object', async () => {
    const { jobId } = await world.start(joined(...Array<Buffer>(300).fill(record('x'))));
    const chunk = await one(jobId);
    // Longer than what is read at once, so that a part ends inside a character.
    const title = '大きさ'.repeat(150);
    const errors = errorsOf(chunk, 'STORE').map((error) => ({ ...error, n: title }));
    const key = TenantKey.of('records', TENANT, randomUUID());
    const lines = Buffer.from(errors.map((error) => JSON.stringify(error)).join('\n'));
    await world.isolated.store.put(key, Readable.from([lines]));
    await world.saved(chunk, {
      counts: counted({ failed: 300 }),
      errors: [],
      errorsKey: key.toString(),
    });
    expect(await world.job(jobId)).toMatchObject({ status: 'ERROR', result: 'FAILED' });
    const { entries, totalRecords } = await logOf(jobId, '&limit=1000');
    expect(totalRecords).toBe(300);
    expect(entries).toHaveLength(300);
    for (const [order, entry] of (entries as object[]).entries())
      expect(entry).toMatchObject({
        sourceRecordOrder: `${order}`,
        sourceRecordTitle: title,
      });
  });

  it('sends a chunk again, under its id, when no answer comes', async () => {
    const { jobId } = await world.start(record('f1'));
    const chunk = await one(jobId);
    const dispatch = world.isolated.services.get('data-import')!.app.get(Dispatch);
    const scope = { tenantId: TENANT, actorId: USER_ID };
    await dispatch.releaseLate(scope);
    expect(await chunkRows(jobId)).toMatchObject([{ attempt: 1 }]);
    await world.change(
      `update job_chunk set released_at = released_at - interval '61 seconds' where tenant_id = $1 and job_id = $2`,
      [jobId],
    );
    await dispatch.releaseLate(scope);
    const [, again] = await world.sent.of(jobId, 2);
    expect(again).toEqual({ ...chunk, attempt: 2 });
    await world.saved(again!);
    expect((await world.job(jobId)).status).toBe('COMMITTED');
  });

  it('counts a record that is too long as failed without sending it', async () => {
    const long = Buffer.alloc(1_100_000, 'a');
    long.write('99999');
    long[long.length - 1] = 0x1d;
    const { jobId } = await world.start(joined(record('g1'), long, record('g2')));
    const chunks = await world.sent.of(jobId, 2);
    expect(chunks.map(({ firstOrder, count }) => [firstOrder, count])).toEqual([
      [0, 1],
      [2, 1],
    ]);
    expect((await world.job(jobId)).progress).toMatchObject({ current: 1, total: 3 });
    for (const chunk of chunks) await world.saved(chunk);
    expect(await world.job(jobId)).toMatchObject({ status: 'ERROR', result: 'PARTIAL' });
    expect((await logOf(jobId)).entries).toMatchObject([
      { sourceRecordOrder: '1', error: expect.stringContaining('"name":"TOO_LARGE"') },
    ]);
    expect((await failedBytes(jobId)).equals(long)).toBe(true);
  });

  it.each([
    {
      format: 'MARC_XML',
      file: `<a xmlns="${MARCXML_NAMESPACE}"><record>1</record>\n<record>2</record><record></b>`,
      frames: [0, 18, 1, 18],
      context: { xmlContext: `<a xmlns="${MARCXML_NAMESPACE}">` },
      code: 'XML_SYNTAX',
      text: /not well-formed at byte 91: .*\(record 3, byte 79\)/,
      failed: '<record></b>',
    },
    {
      format: 'MARC_JSON',
      file: '[{"a":1},\n{"a":2} 17]',
      frames: [0, 7, 2, 7],
      context: {},
      code: 'JSON_SYNTAX',
      text: /not well-formed at byte 18: .*\(record 3, byte 18\)/,
      failed: '17]',
    },
  ])(
    'of $format sends its records, and keeps what cannot be read as one of them',
    async ({ format, file, frames, context, code, text, failed }) => {
      const { jobId } = await world.start(Buffer.from(file));
      const chunk = await one(jobId);
      expect(chunk).toMatchObject({ format, frames, count: 2, ...context });
      expect((await chunkRows(jobId)).map(({ state }) => state)).toEqual(['RELEASED', 'DONE']);
      await world.saved(chunk);
      expect(await world.job(jobId)).toMatchObject({
        status: 'ERROR',
        result: 'PARTIAL',
        progress: { current: 3, total: 3 },
      });
      const [entry] = (await logOf(jobId)).entries;
      expect(entry).toMatchObject({ sourceRecordOrder: '2' });
      expect(entry.error).toContain(`"name":"${code}"`);
      expect(entry.error).toMatch(text);
      expect((await failedBytes(jobId)).toString()).toContain(failed);
    },
  );

  it.each([
    ['an empty file', Buffer.alloc(0), 'EMPTY_FILE', 'File is empty or content is invalid!'],
    [
      'a file without a record',
      Buffer.from('dear library'),
      'EMPTY_FILE',
      'File is empty or content is invalid!',
    ],
    [
      'a compressed file',
      gzipSync(record('x')),
      'COMPRESSED',
      'Compressed files are not supported',
    ],
    [
      'XML without a record',
      Buffer.from('<collection/>'),
      'EMPTY_FILE',
      'File is empty or content is invalid!',
    ],
    ['an empty list', Buffer.from('[]'), 'EMPTY_FILE', 'File is empty or content is invalid!'],
    [
      'XML in UTF-16',
      Buffer.from('\ufeff<collection/>', 'utf16le'),
      'UNSUPPORTED_FORMAT',
      'Unsupported file format',
    ],
    [
      'XML with a DOCTYPE',
      Buffer.from('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'),
      'DOCTYPE_FORBIDDEN',
      'A document type declaration (DOCTYPE) is not allowed',
    ],
    ['EDIFACT', Buffer.from("UNA:+.? '"), 'UNSUPPORTED_FORMAT', 'Unsupported file format'],
  ])('of %s ends at once and says why', async (_, file, code, text) => {
    const { jobId } = await world.start(file);
    expect(await world.job(jobId)).toMatchObject({
      status: 'ERROR',
      errorStatus: 'FILE_PROCESSING_ERROR',
      result: 'FAILED',
      progress: { current: 0, total: 0 },
      completedDate: expect.any(String),
    });
    const { messages } = await world.details(jobId);
    expect(messages).toContainEqual({ code, text, date: expect.any(String) });
    expect((await logOf(jobId)).totalRecords).toBe(0);
  });

  it('of a data type other than MARC ends at once', async () => {
    const drafted = await world.draft();
    await world.upload(drafted, record('h1'));
    expect((await world.process(drafted, { dataType: 'EDIFACT' })).status).toBe(204);
    expect(await world.job(drafted.jobId)).toMatchObject({
      status: 'ERROR',
      errorStatus: 'FILE_PROCESSING_ERROR',
      progress: { current: 0, total: 0 },
    });
    expect((await world.details(drafted.jobId)).messages).toContainEqual(
      expect.objectContaining({ text: 'Unsupported file format' }),
    );
    expect((await chunkRows(drafted.jobId)).map(({ state }) => state)).not.toContain('WAITING');
  });

  it('is unknown to another tenant in every view', async () => {
    const { jobId } = await world.start(record('i1'));
    await world.saved(await one(jobId), { counts: counted({ failed: 1 }) });
    const text = `JobExecution with id '${jobId}' was not found`;
    for (const target of [
      `/change-manager/jobExecutions/${jobId}`,
      `/data-import/jobExecutions/${jobId}/details`,
      `/data-import/jobExecutions/${jobId}/failedRecords.mrc`,
    ])
      expect(await world.get(target, { tenant: OTHER_TENANT })).toMatchObject({
        status: 404,
        text,
      });
    const log = await world.get(`/metadata-provider/jobLogEntries/${jobId}?errorsOnly=true`, {
      tenant: OTHER_TENANT,
    });
    expect(log.json?.entries ?? []).toEqual([]);
  });
});
