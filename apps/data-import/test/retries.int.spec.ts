import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import type { ChunkCounts, ChunkError } from '@quire/contracts/source-record-events';
import { TenantKey } from '@quire/object-store/tenant-key';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { marcRecord } from '@quire/testing/marc';
import { ImportWorld, OTHER_TENANT, USER_ID, type Answer, type Drafted } from './import-world.js';

let copies = 0;
const record = (name = `record ${(copies += 1)}`): Buffer =>
  marcRecord({ fields: [['001', name]] });
const joined = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);
const failing = (failed: number, created = 0): ChunkCounts => ({
  created,
  updated: 0,
  unchanged: 0,
  failed,
  warned: 0,
  byType: {},
  warnings: {},
});

describe('the failed records of an import', () => {
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
  /** source-record-storage finds fault with these frames of a chunk. */
  const fail = async (
    chunk: ChunkReadyPayload,
    faults: readonly (Partial<ChunkError> & { readonly index: number })[],
  ): Promise<void> => {
    let at = chunk.offset;
    const places = Array.from({ length: chunk.count }, (_, index) => {
      const [skipped = 0, len = 0] = chunk.frames.slice(2 * index, 2 * index + 2);
      const place = { o: chunk.firstOrder + index, at: at + skipped, len };
      at += skipped + len;
      return place;
    });
    const errors = faults.map(({ index, ...fault }) => ({
      ...places[index]!,
      c: 'STORE',
      ...fault,
    }));
    const counts = failing(errors.length, chunk.count - errors.length);
    await world.saved(chunk, { counts, errors });
  };
  const retry = (id: string, body: object = {}): Promise<Answer> =>
    world.ask('POST', `/data-import/jobExecutions/${id}/retry`, { body });
  const failedOf = async (id: string, form = 'mrc'): Promise<Answer> =>
    world.get(`/data-import/jobExecutions/${id}/failedRecords.${form}`);
  const readBytes = async ({ objectKey, offset, length }: ChunkReadyPayload): Promise<Buffer> => {
    const range = { start: offset, end: offset + length };
    const stored = await world.isolated.store.get(TenantKey.parse(objectKey), range);
    return joined(...((await stored.toArray()) as Buffer[]));
  };

  /** An ended import of five records of which the second and the fourth failed. */
  const ended = async (): Promise<{ drafted: Drafted; frames: Buffer[] }> => {
    const frames = Array.from({ length: 5 }, () => record());
    const drafted = await world.start(joined(...frames), 'spring.mrc');
    await fail(await one(drafted.jobId), [{ index: 1 }, { index: 3, c: 'EXISTING_999FF', t: 'B' }]);
    return { drafted, frames };
  };

  describe('as a table', () => {
    it('say which, where and why, and nothing in it is taken for a formula', async () => {
      const { jobId } = await world.start(joined(record(), record(), record(), record(), record()));
      const chunk = await one(jobId);
      await fail(chunk, [
        { index: 0, c: 'TAG', detail: 'Invalid tag: 2 4', n: '=HYPERLINK("x")', h: '+1' },
        {
          index: 1,
          c: 'PROFILE_TYPE',
          t: 'A',
          n: 'Plain, with a comma',
          h: '-a',
          w: ['INDICATOR', 'ENTRY_MAP'],
        },
        { index: 2, n: '@home\r\nagain', h: '\tx' },
        { index: 3, c: 'EXISTING_999FF', n: 'Ünïcode' },
      ]);
      const answer = await failedOf(jobId, 'csv');
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
      const at = (index: number): number => (chunk.length / 5) * index;
      expect(answer.text).toBe(
        [
          'order,byteOffset,001,title,code,message,warnings',
          `0,0,'+1,"'=HYPERLINK(""x"")",TAG,Invalid tag: 2 4,`,
          `1,${at(1)},'-a,"Plain, with a comma",PROFILE_TYPE,The job profile 'Default - Create instance and SRS MARC Bib' does not take authority records,INDICATOR; ENTRY_MAP`,
          `2,${at(2)},'\tx,"'@home\r\nagain",STORE,The record could not be stored,`,
          `3,${at(3)},,Ünïcode,EXISTING_999FF,"The record already has a field 999 ff with $s or $i, so it was exported from a catalogue like this one. Accept or strip the field by the option on999ff",`,
          '',
        ].join('\r\n'),
      );
    });

    it('are only the heading when none failed, and none of another tenant', async () => {
      const { jobId } = await world.start(record());
      await world.saved(await one(jobId));
      expect((await failedOf(jobId, 'csv')).text).toBe(
        'order,byteOffset,001,title,code,message,warnings\r\n',
      );
      const target = `/data-import/jobExecutions/${jobId}/failedRecords.csv`;
      expect(await world.get(target, { tenant: OTHER_TENANT })).toMatchObject({
        status: 404,
        text: `JobExecution with id '${jobId}' was not found`,
      });
    });
  });

  it('are given back in order and as received, however many lie between them', async () => {
    const frames = Array.from({ length: 2500 }, () => record());
    const { jobId } = await world.start(joined(...frames));
    const chunks = await world.sent.of(jobId, 3);
    const wanted = [0, 1, 2, 700, 999];
    for (const chunk of [chunks[2]!, chunks[0]!, chunks[1]!])
      await fail(
        chunk,
        wanted.filter((index) => index < chunk.count).map((index) => ({ index })),
      );
    const orders = [0, 1, 2].flatMap((no) => wanted.map((index) => no * 1000 + index));
    const expected = joined(
      ...orders.filter((order) => order < 2500).map((order) => frames[order]!),
    );
    expect((await failedOf(jobId)).bytes.equals(expected)).toBe(true);
  });

  it('are listed and given back however many there are', async () => {
    const frame = record();
    const many = 10_000;
    const file = Buffer.alloc(many * frame.length, frame);
    const { jobId } = await world.start(file);
    // As if all of them had failed.
    await world.change(
      `insert into job_error (tenant_id, job_id, record_order, record_id, byte_offset, byte_length, code)
       select $1, $2, n, gen_random_uuid(), n * $3, $3, 'STORE' from generate_series(0, $4::int8 - 1) as n`,
      [jobId, frame.length, many],
    );
    expect((await failedOf(jobId, 'csv')).text.split('\r\n')).toHaveLength(many + 2);
    expect((await failedOf(jobId)).bytes.equals(file)).toBe(true);
  });

  describe('tried again', () => {
    it('are the records of a new job, in a file of their own, with other options', async () => {
      const { drafted, frames } = await ended();
      const answer = await retry(drafted.jobId, { options: { on999ff: 'strip' } });
      expect(answer.status).toBe(201);
      const job = answer.json as { id: string };
      expect(answer.headers['location']).toBe(`/api/change-manager/jobExecutions/${job.id}`);
      expect(job).toMatchObject({
        subordinationType: 'PARENT_SINGLE',
        status: 'PARSING_IN_PROGRESS',
        fileName: 'spring.mrc',
        progress: { current: 0, total: 2 },
        userId: USER_ID,
      });
      const chunk = await one(job.id);
      const lengths = [frames[1]!.length, frames[3]!.length];
      expect(chunk).toMatchObject({
        chunkId: uuidV5(job.id, 'chunk:0'),
        frames: [0, lengths[0], 0, lengths[1]],
        firstOrder: 0,
        count: 2,
        origins: [frames[0]!.length, joined(...frames.slice(0, 3)).length],
        source: { fileDefinitionId: drafted.fileId },
        options: { on999ff: 'strip', strict: false },
      });
      expect((await readBytes(chunk)).equals(joined(frames[1]!, frames[3]!))).toBe(true);
      expect(await world.details(job.id)).toMatchObject({
        retryOf: drafted.jobId,
        source: { bytes: lengths[0]! + lengths[1]! },
      });
      await world.saved(chunk);
      expect((await world.job(job.id)).status).toBe('COMMITTED');
      expect((await world.job(drafted.jobId)).status).toBe('ERROR');
      await world.expectNoIntents();
    });

    it('keep their place in the file that was uploaded, also when they fail again and again', async () => {
      const { drafted, frames } = await ended();
      const first = (await retry(drafted.jobId)).json as { id: string };
      await fail(await one(first.id), [{ index: 0 }, { index: 1 }]);
      const second = (await retry(first.id)).json as { id: string };
      const chunk = await one(second.id);
      expect((await readBytes(chunk)).equals(joined(frames[1]!, frames[3]!))).toBe(true);
      expect(chunk.source.fileDefinitionId).toBe(drafted.fileId);
      await fail(chunk, [{ index: 1 }]);
      const at = joined(...frames.slice(0, 3)).length;
      const log = await world.get(`/metadata-provider/jobLogEntries/${second.id}?errorsOnly=true`);
      expect(log.json.entries).toMatchObject([
        { sourceRecordOrder: '1', error: expect.stringContaining(`(record 2, byte ${at})`) },
      ]);
      expect((await failedOf(second.id)).bytes.equals(frames[3]!)).toBe(true);
    });

    it('are asked the options of the first job again, but for those that are sent', async () => {
      const drafted = await world.start(record(), undefined, {
        headers: { 'X-Quire-Import-Options': 'on999ff=strip; strict=true' },
      });
      await fail(await one(drafted.jobId), [{ index: 0 }]);
      const { id } = (await retry(drafted.jobId, { options: { strict: false } })).json as {
        id: string;
      };
      expect((await one(id)).options).toMatchObject({ on999ff: 'strip', strict: false });
    });

    it('are more than a chunk takes', async () => {
      const frames = Array.from({ length: 1001 }, () => record());
      const { jobId } = await world.start(joined(...frames));
      for (const chunk of await world.sent.of(jobId, 2)) await world.rejected(chunk, 'STORE');
      const { id } = (await retry(jobId)).json as { id: string };
      const chunks = await world.sent.of(id, 2);
      expect(chunks.map(({ firstOrder, count }) => [firstOrder, count])).toEqual([
        [0, 1000],
        [1000, 1],
      ]);
      expect((await readBytes(chunks[1]!)).equals(frames[1000]!)).toBe(true);
      expect(chunks[1]!.origins).toEqual([joined(...frames.slice(0, 1000)).length]);
    });

    it('are written as they were, each in the elements in which it stood', async () => {
      const [outer, inner] = ['<a xmlns:m="http://www.loc.gov/MARC21/slim">', '<b>'];
      const parts = ['<m:record>1</m:record>', '<m:record>2</m:record>', '<m:record>3</m:record>'];
      const file = `${outer}${parts[0]} ${parts[1]}${inner}${parts[2]}</b></a>`;
      const { jobId } = await world.start(Buffer.from(file));
      const [first, second] = await world.sent.of(jobId, 2);
      await fail(first!, [{ index: 1 }]);
      await fail(second!, [{ index: 0 }]);
      const retried = await retry(jobId);
      const chunks = await world.sent.of((retried.json as { id: string }).id, 2);
      expect(chunks).toMatchObject([
        { format: 'MARC_XML', xmlContext: outer, length: 22, frames: [0, 22] },
        { format: 'MARC_XML', xmlContext: outer + inner, firstOrder: 1 },
      ]);
      const bytes = joined(await readBytes(chunks[0]!), await readBytes(chunks[1]!));
      expect(bytes.toString()).toBe(parts[1]! + parts[2]!);
    });

    it('are without those that cannot even be cut out, and the job says so', async () => {
      const { jobId } = await world.start(joined(record(), record(), record()));
      await fail(await one(jobId), [
        { index: 0, c: 'TOO_LARGE' },
        { index: 1 },
        { index: 2, c: 'XML_SYNTAX' },
      ]);
      const { id } = (await retry(jobId)).json as { id: string };
      expect((await world.job(id)).progress.total).toBe(1);
      expect((await world.details(id)).messages).toMatchObject([
        {
          code: 'RETRY_LEFT_OUT',
          text: '2 failed records cannot be read again and were left out (too large, or broken XML or JSON)',
        },
      ]);
    });

    it('are refused while the job runs, when none failed, and when none can be read', async () => {
      const running = await world.start(record());
      expect(await retry(running.jobId)).toMatchObject({
        status: 400,
        text: `JobExecution ${running.jobId} has not ended`,
      });
      await world.saved(await one(running.jobId));
      expect(await retry(running.jobId)).toMatchObject({
        status: 400,
        text: `JobExecution ${running.jobId} has no failed records`,
      });
      const broken = await world.start(record());
      await fail(await one(broken.jobId), [{ index: 0, c: 'JSON_SYNTAX' }]);
      expect(await retry(broken.jobId)).toMatchObject({
        status: 400,
        text: `None of the failed records of JobExecution ${broken.jobId} can be read again`,
      });
      await world.expectNoIntents();
    });

    it('are refused while a retry runs, and may be tried again when it has ended', async () => {
      const { drafted } = await ended();
      const answers = await Promise.all([retry(drafted.jobId), retry(drafted.jobId)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 400]);
      const text = `A retry of JobExecution ${drafted.jobId} is running`;
      expect(answers.find(({ status }) => status === 400)?.text).toBe(text);
      expect(await retry(drafted.jobId)).toMatchObject({ status: 400, text });
      const { id } = answers.find(({ status }) => status === 201)!.json as { id: string };
      await world.saved(await one(id));
      expect((await retry(drafted.jobId)).status).toBe(201);
      await world.expectNoIntents();
    });

    it('are gone with their file', async () => {
      const { drafted } = await ended();
      await world.isolated.store.remove(await world.objectOf(drafted.fileId));
      expect(await retry(drafted.jobId)).toMatchObject({ status: 404, text: 'Not found' });
      expect(await failedOf(drafted.jobId)).toMatchObject({ status: 404, text: 'Not found' });
    });

    it('need a known job of the tenant, the permission, and options that exist', async () => {
      const { drafted } = await ended();
      const target = `/data-import/jobExecutions/${drafted.jobId}/retry`;
      const body = {};
      expect(await world.ask('POST', target, { body, tenant: OTHER_TENANT })).toMatchObject({
        status: 404,
        text: `JobExecution with id '${drafted.jobId}' was not found`,
      });
      expect((await world.ask('POST', target, { body, permissions: [] })).status).toBe(403);
      const answer = await retry(drafted.jobId, { options: { on999ff: 'keep' } });
      expect(answer.status).toBe(422);
      expect(answer.json.errors[0]).toMatchObject({
        message: 'must be one of [reject, accept, strip]',
        parameters: [{ key: 'options.on999ff', value: 'keep' }],
      });
    });
  });

  describe('of MARCXML and MARC-in-JSON', () => {
    const SLIM = 'http://www.loc.gov/MARC21/slim';
    const xmlRecord = (name: string, prefix = ''): string =>
      `<${prefix}record><${prefix}leader>00000nam a2200000 i 4500</${prefix}leader><${prefix}controlfield tag="001">${name}</${prefix}controlfield></${prefix}record>`;
    const XML = [xmlRecord('a'), xmlRecord('b'), xmlRecord('c', 'm:'), xmlRecord('d', 'm:')];
    const xml = Buffer.from(
      `<all><collection xmlns="${SLIM}">\n${XML[0]!}\n${XML[1]!}\n</collection><m:collection xmlns:m="${SLIM}">${XML[2]!}${XML[3]!}</m:collection></all>`,
    );
    const JSON_RECORDS = ['x', 'y', 'z'].map(
      (name) => `{"leader":"00000nam a2200000 i 4500",\n "fields":[{"001":"${name}"}]}`,
    );
    const json = Buffer.from(`[${JSON_RECORDS.join(',\n')}]`);

    it('are in one collection with the namespaces that they need', async () => {
      const { jobId } = await world.start(xml, 'all.xml');
      const chunks = await world.sent.of(jobId, 2);
      await fail(chunks[0]!, [{ index: 1 }]);
      await fail(chunks[1]!, [{ index: 0 }]);
      const answer = await failedOf(jobId, 'xml');
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/marcxml+xml',
        'content-disposition': `attachment; filename="failed-${jobId}.xml"`,
      });
      expect(answer.text).toBe(
        `<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="${SLIM}">\n${XML[1]!}\n<collection xmlns="" xmlns:m="${SLIM}">\n${XML[2]!}\n</collection>\n</collection>\n`,
      );
      expect((await failedOf(jobId)).text).toBe(answer.text);
      expect(await failedOf(jobId, 'json')).toMatchObject({
        status: 404,
        text: `The records of JobExecution ${jobId} are not of this form; see failedRecords.mrc`,
      });
    });

    it('are read again from such a collection, and keep their place in the first file', async () => {
      const { jobId } = await world.start(xml, 'all.xml');
      const chunks = await world.sent.of(jobId, 2);
      await fail(chunks[0]!, [{ index: 1 }]);
      await fail(chunks[1]!, [{ index: 0 }, { index: 1 }]);
      const given = (await failedOf(jobId, 'xml')).text;
      const { id } = (await retry(jobId)).json as { id: string };
      const again = await world.sent.of(id, 2);
      const framesRead = await Promise.all(again.map(framesOf));
      expect(framesRead.flat()).toEqual(XML.slice(1));
      expect(again.map(({ format, xmlContext }) => [format, xmlContext])).toEqual(
        chunks.map(({ format, xmlContext }) => [format, xmlContext]),
      );
      expect(again.flatMap(({ origins }) => origins)).toEqual(
        XML.slice(1).map((one) => xml.indexOf(one)),
      );
      const stored = await world.isolated.store.get(TenantKey.parse(again[0]!.objectKey));
      expect(joined(...((await stored.toArray()) as Buffer[])).toString()).toBe(given);
      await fail(again[0]!, [{ index: 0 }]);
      await world.saved(again[1]!);
      expect((await failedOf(id, 'xml')).text).toContain(`\n${XML[1]!}\n</collection>`);
    });

    it('are objects as received, which a retry reads by lines', async () => {
      const { jobId } = await world.start(json, 'all.json');
      await fail(await one(jobId), [{ index: 0 }, { index: 2 }]);
      const answer = await failedOf(jobId, 'json');
      expect(answer.headers['content-type']).toBe('application/x-ndjson');
      expect(answer.text).toBe(`${JSON_RECORDS[0]!}\n${JSON_RECORDS[2]!}\n`);
      const { id } = (await retry(jobId)).json as { id: string };
      const chunk = await one(id);
      expect(chunk).toMatchObject({ format: 'MARC_JSON', count: 2 });
      expect(await framesOf(chunk)).toEqual(
        [JSON_RECORDS[0]!, JSON_RECORDS[2]!].map((text) => text.replaceAll('\n', ' ')),
      );
    });

    it('are an empty collection when none failed', async () => {
      const { jobId } = await world.start(xml, 'all.xml');
      for (const chunk of await world.sent.of(jobId, 2)) await world.saved(chunk);
      expect((await failedOf(jobId, 'xml')).text).toBe(
        `<collection xmlns="${SLIM}"></collection>\n`,
      );
    });

    it('are given back with what is left of a file that breaks off', async () => {
      const broken = Buffer.from(`<collection xmlns="${SLIM}">${XML[0]!}<record></oops>`);
      const { jobId } = await world.start(broken, 'broken.xml');
      await world.saved(await one(jobId));
      expect(await world.job(jobId)).toMatchObject({ status: 'ERROR', result: 'PARTIAL' });
      expect((await failedOf(jobId, 'xml')).text).toContain('<record></oops>');
      expect((await retry(jobId)).text).toBe(
        `None of the failed records of JobExecution ${jobId} can be read again`,
      );
    });
  });

  async function framesOf(chunk: ChunkReadyPayload): Promise<string[]> {
    const bytes = await readBytes(chunk);
    let at = 0;
    return Array.from({ length: chunk.count }, (_, index) => {
      const [skipped = 0, length = 0] = chunk.frames.slice(2 * index, 2 * index + 2);
      at += skipped + length;
      return bytes.toString('utf8', at - length, at);
    });
  }
});
