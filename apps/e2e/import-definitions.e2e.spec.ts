import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import type {
  SeedUploadDefinition,
  UploadDefinition,
  UploadFileDefinition,
} from '@quire/contracts/data-import';
import type { TenantDescriptor } from '@quire/contracts/gateway';
import { generateMarc } from '@quire/testing/marc';
import { DEFAULT_PROFILE, importEnds, until } from './src/steps.js';
import { fetchOnce, PASSWORD, World, type Answer, type Person } from './src/world.js';

const SEED = '/data-import/upload/definition';
const CURRENT = '/data-import/uploadDefinitions';
const BYTES_MAX = 200_000;
const BYTES = { 'content-type': 'application/octet-stream' };

interface Violations {
  readonly errors: readonly {
    readonly message: string;
    readonly code: string;
    readonly parameters: readonly { readonly key: string; readonly value: string }[];
  }[];
  readonly total_records: number;
}

interface Placed {
  readonly id: string;
  readonly fileId: string;
  readonly jobId: string;
}

/** Reliability, 18.6: what goes wrong with definitions and files, through the public door. */
describe('definitions and files that are not as they should be', () => {
  let world: World;
  let person: Person;
  let foreigner: Person;
  let number = 0;

  beforeAll(async () => {
    world = await World.open({ MAX_FILE_BYTES: String(BYTES_MAX) });
    person = await world.as();
    const operator = await world.as('supertenant');
    await operator.post<TenantDescriptor>('/_/proxy/tenants', {
      id: 'other',
      admin: { username: 'other', password: PASSWORD },
    });
    foreigner = await world.as('other', 'other');
  });

  afterAll(() => world[Symbol.asyncDispose]());

  /** Each time other records. */
  const file = (records = 3): Uint8Array =>
    Buffer.concat([...generateMarc((number += 1), records)]);
  const violationsOf = ({ status, json }: Answer): Violations['errors'] => {
    expect(status).toBe(422);
    const { errors, total_records: total } = json as Violations;
    expect(total).toBe(errors.length);
    return errors;
  };
  const draft = async (name = 'a.mrc', by = person): Promise<Placed> => {
    const made = await by.post<SeedUploadDefinition>(SEED, { fileDefinitions: [{ name }] });
    const [one] = made.fileDefinitions ?? [];
    return { id: made.id ?? '', fileId: one?.id ?? '', jobId: one?.jobExecutionId ?? '' };
  };
  const seedUpload = ({ id, fileId }: Placed): string =>
    `/data-import/upload/file?uploadDefinitionId=${id}&fileId=${fileId}`;
  const upload = (path: string, body: Uint8Array | string, by = person): Promise<Answer> =>
    by.send('POST', path, { body, headers: BYTES });
  const process = (id: string): Promise<Answer> =>
    person.send('POST', `${CURRENT}/${id}/processFiles`, {
      json: { uploadDefinition: { id }, jobProfileInfo: DEFAULT_PROFILE },
    });
  const statusOfJob = async (id: string): Promise<string> =>
    (await person.get<{ status: string }>(`/change-manager/jobExecutions/${id}`)).status;

  it('I1: without files, with two equal names, with too many files, bad names and blocked extensions', async () => {
    for (const json of [{}, { fileDefinitions: [] }]) {
      const empty = await person.post<SeedUploadDefinition>(SEED, json);
      expect(empty).toMatchObject({ status: 'NEW', fileDefinitions: [] });
    }
    const names = [{ name: 'a.mrc' }, { name: 'a.mrc' }];
    const twins = await person.post<SeedUploadDefinition>(SEED, { fileDefinitions: names });
    const [one, two] = twins.fileDefinitions ?? [];
    expect(new Set([one?.id, two?.id, one?.jobExecutionId, two?.jobExecutionId]).size).toBe(4);
    const many = Array.from({ length: 1001 }, () => ({ name: 'a.mrc' }));
    for (const [list, key] of [
      [many, 'fileDefinitions[1000].name'],
      [[{ name: 'a\u0001.mrc' }], 'fileDefinitions[0].name'],
      [[{ name: `${'ü'.repeat(126)}.mrc` }], 'fileDefinitions[0].name'],
      [[{ name: '' }], 'fileDefinitions[0].name'],
      [[{}], 'fileDefinitions[0].name'],
    ] as const)
      for (const path of [SEED, CURRENT]) {
        const answer = await person.send('POST', path, { json: { fileDefinitions: list } });
        const errors = violationsOf(answer);
        expect(errors).toHaveLength(1);
        expect(errors[0]).toMatchObject({ type: '1', code: '-1', parameters: [{ key }] });
      }
    for (const path of [SEED, CURRENT]) {
      const blocked = { fileDefinitions: [{ name: 'a.mrc' }, { name: 'cover.JPG' }] };
      expect(violationsOf(await person.send('POST', path, { json: blocked }))).toMatchObject([
        { message: 'validation.uploadDefinition.fileExtension.blocked', code: 'cover.JPG' },
      ]);
    }
  });

  it('I2: uploads for unknown ids, a file of another definition, and what is no UUID', async () => {
    const [own, other] = [await draft(), await draft()];
    const unknown = randomUUID();
    const answerOf = async (path: string): Promise<[number, string]> => {
      const { status, text } = await upload(path, file());
      return [status, text];
    };
    const noDefinition = (id: string): [number, string] => [
      404,
      `Upload Definition was not found. ID: ${id}`,
    ];
    const noFile = (id: string): [number, string] => [
      404,
      `FileDefinition not found. FileDefinition ID: ${id}`,
    ];
    for (const id of [unknown, 'abc']) {
      expect(await answerOf(seedUpload({ ...own, id }))).toEqual(noDefinition(id));
      expect(await answerOf(seedUpload({ ...own, fileId: id }))).toEqual(noFile(id));
    }
    expect(await answerOf(seedUpload({ ...own, fileId: other.fileId }))).toEqual(
      noFile(other.fileId),
    );
    expect(await answerOf(`${CURRENT}/${unknown}/files/${own.fileId}`)).toEqual(
      noDefinition(unknown),
    );
    expect(await answerOf(`${CURRENT}/${own.id}/files/${other.fileId}`)).toEqual(
      noFile(other.fileId),
    );
    expect((await answerOf(`${CURRENT}/abc/files/${own.fileId}`))[0]).toBe(400);
    expect((await answerOf(`${CURRENT}/${own.id}/files/abc`))[0]).toBe(400);
    const { fileDefinitions } = await person.get<UploadDefinition>(`${CURRENT}/${own.id}`);
    expect(fileDefinitions).toMatchObject([{ status: 'NEW' }]);
  });

  it('I3: another content type, no bytes, too many, and chunked', async () => {
    const typed = await draft();
    const wrong = await person.send('POST', seedUpload(typed), {
      body: '{}',
      headers: { 'content-type': 'text/plain' },
    });
    expect([wrong.status, wrong.text]).toEqual([
      400,
      'Content-type header must be ["application/octet-stream"] but it is "text/plain"',
    ]);

    const empty = await draft();
    const nothing = await upload(seedUpload(empty), '');
    expect([nothing.status, (nothing.json as SeedUploadDefinition).status]).toEqual([
      200,
      'LOADED',
    ]);
    expect((await process(empty.id)).status).toBe(204);
    expect(await importEnds(person, empty.jobId)).toMatchObject({
      status: 'ERROR',
      errorStatus: 'FILE_PROCESSING_ERROR',
      progress: { current: 0, total: 0 },
    });

    const limited = await draft();
    const tooLarge = `Please use file with size less than ${BYTES_MAX}.`;
    const announced = await upload(seedUpload(limited), Buffer.alloc(BYTES_MAX + 1, ' '));
    expect([announced.status, announced.text]).toEqual([
      413,
      `File size is too large: '${BYTES_MAX + 1}'. ${tooLarge}`,
    ]);
    const unannounced = await chunked(seedUpload(limited), BYTES_MAX + 1);
    expect([unannounced.status, await unannounced.text()]).toEqual([
      413,
      expect.stringMatching(/^File size is too large: '\d+'\. /),
    ]);
    const exact = await chunked(seedUpload(limited), BYTES_MAX);
    expect([exact.status, ((await exact.json()) as SeedUploadDefinition).status]).toEqual([
      200,
      'LOADED',
    ]);
  });

  /** Without Content-Length. */
  function chunked(path: string, bytes: number): Promise<Response> {
    const part = Buffer.alloc(10_000, ' ');
    const parts = function* (): Generator<Buffer> {
      for (let left = bytes; left > 0; left -= part.length)
        yield part.subarray(0, Math.min(left, part.length));
    };
    return fetchOnce(`${world.url}${path}`, {
      method: 'POST',
      headers: { ...person.headers, ...BYTES },
      body: Readable.toWeb(Readable.from(parts())) as ReadableStream,
      duplex: 'half',
    });
  }

  it('I4: PUT with another id, with files of others and with a jump in status', async () => {
    const [own, other] = [await draft(), await draft('other.mrc')];
    const before = await person.get<SeedUploadDefinition>(`${SEED}/${own.id}`);
    const sent = {
      id: other.id,
      metaJobExecutionId: randomUUID(),
      createDate: '2001-01-01',
      status: 'COMPLETED',
    };
    const labelled = await person.send('PUT', `${SEED}/${own.id}`, { json: sent });
    expect(labelled.status).toBe(200);
    expect(labelled.json).toEqual({
      ...before,
      status: 'COMPLETED',
      metadata: (labelled.json as SeedUploadDefinition).metadata,
    });
    expect(await statusOfJob(own.jobId)).toBe('NEW');
    // A label stops nothing either: the file is uploaded and processed all the same.
    expect((await upload(seedUpload(own), file())).json).toMatchObject({ status: 'LOADED' });

    const foreign = { fileDefinitions: [{ id: other.fileId, name: 'b.mrc', loaded: true }] };
    const replaced = await person.send('PUT', `${SEED}/${other.id}`, { json: {} });
    expect(replaced.status).toBe(200);
    const taken = await person.send('PUT', `${SEED}/${own.id}`, { json: foreign });
    const [made] = (taken.json as SeedUploadDefinition).fileDefinitions ?? [];
    expect(taken.status).toBe(200);
    expect(made).toMatchObject({ name: 'b.mrc', loaded: false, uploadDefinitionId: own.id });
    expect(made?.id).not.toBe(other.fileId);
    expect(made?.jobExecutionId).not.toBe(other.jobId);
    expect(await statusOfJob(own.jobId)).toBe('DISCARDED');
    expect(await person.get<SeedUploadDefinition>(`${SEED}/${other.id}`)).toMatchObject({
      fileDefinitions: [{ id: other.fileId, name: 'other.mrc' }],
    });
    const kept = await person.send('PUT', `${CURRENT}/${other.id}`, {
      json: { status: 'LOADED', fileDefinitions: [] },
    });
    expect(kept.json).toMatchObject({ status: 'LOADED', fileDefinitions: [{ id: other.fileId }] });
    expect(await statusOfJob(other.jobId)).toBe('NEW');
  });

  it('I5: adding, uploading, removing and deleting once a file is being processed', async () => {
    const placed = await draft();
    const { id, fileId } = placed;
    expect((await upload(seedUpload(placed), file())).status).toBe(200);
    expect((await process(id)).status).toBe(204);
    const added = `Cannot add file to uploadDefinition ${id} - linked files are already being processed`;
    const refused = async (answer: Promise<Answer>, text: string): Promise<void> => {
      const { status, text: said } = await answer;
      expect([status, said]).toEqual([400, text]);
    };
    await refused(
      person.send('POST', `${SEED}/file`, { json: { name: 'b.mrc', uploadDefinitionId: id } }),
      added,
    );
    await refused(
      person.send('POST', `${CURRENT}/${id}/files`, { json: { name: 'b.mrc' } }),
      added,
    );
    const again = `Cannot upload file ${fileId} - it is already being processed`;
    await refused(upload(seedUpload(placed), file()), again);
    await refused(upload(`${CURRENT}/${id}/files/${fileId}`, file()), again);
    await refused(
      person.send('PUT', `${SEED}/${id}`, { json: { fileDefinitions: [] } }),
      `Cannot remove file ${fileId} - it is already being processed`,
    );
    await refused(
      person.send('DELETE', `${CURRENT}/${id}`),
      `Cannot delete uploadDefinition ${id} - linked files are already being processed`,
    );
    const removed = await person.send('DELETE', `${SEED}/file/${fileId}?uploadDefinitionId=${id}`);
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect(await importEnds(person, placed.jobId)).toMatchObject({
      status: 'COMMITTED',
      progress: { current: 3, total: 3 },
    });
  });

  it("I6: what names another tenant's file is as unknown as any other name", async () => {
    const theirs = await draft('theirs.mrc', foreigner);
    expect((await upload(seedUpload(theirs), file(), foreigner)).status).toBe(200);
    const shown = await foreigner.get<UploadDefinition>(`${CURRENT}/${theirs.id}`);
    const [{ sourcePath }] = shown.fileDefinitions as [UploadFileDefinition];
    expect(sourcePath).toEqual(expect.any(String));
    // Their path in a draft of ours is dropped: our file has no bytes.
    const own = await person.post<UploadDefinition>(CURRENT, {
      fileDefinitions: [{ name: 'a.mrc', sourcePath, status: 'UPLOADED', id: theirs.fileId }],
    });
    expect(own).toMatchObject({ status: 'NEW', fileDefinitions: [{ status: 'NEW' }] });
    expect(own.fileDefinitions?.[0]).not.toHaveProperty('sourcePath');
    const processed = await process(own.id ?? '');
    expect([processed.status, processed.text]).toEqual([
      400,
      `No uploaded files in uploadDefinition ${own.id ?? ''}`,
    ]);
    const unknown: Placed = { id: randomUUID(), fileId: randomUUID(), jobId: randomUUID() };
    for (const path of [
      (one: Placed) => seedUpload(one),
      (one: Placed) => seedUpload({ ...one, id: own.id ?? '' }),
      (one: Placed) => `${CURRENT}/${one.id}/files/${one.fileId}`,
    ])
      expect(same(await upload(path(theirs), file()), theirs)).toEqual(
        same(await upload(path(unknown), file()), unknown),
      );
    for (const path of [
      (one: Placed) => `${SEED}/${one.id}`,
      (one: Placed) => `${CURRENT}/${one.id}`,
      (one: Placed) => `/data-import/jobExecutions/${one.jobId}/downloadUrl`,
    ])
      expect(same(await person.send('GET', path(theirs)), theirs)).toEqual(
        same(await person.send('GET', path(unknown)), unknown),
      );
    expect(await foreigner.get<UploadDefinition>(`${CURRENT}/${theirs.id}`)).toEqual(shown);
  });

  /** An answer without the ids that it repeats. */
  const same = ({ status, text }: Answer, { id, fileId, jobId }: Placed): [number, string] => {
    expect(status).toBe(404);
    return [
      status,
      text.replaceAll(id, '<id>').replaceAll(fileId, '<file>').replaceAll(jobId, '<job>'),
    ];
  };

  it('an upload whose body ends early is told so, and may be repeated', async () => {
    const placed = await draft();
    expect(await halfSent(seedUpload(placed))).toMatch(
      /^HTTP\/1\.1 400 [^]*\r\n\r\nUpload stream has been interrupted$/,
    );
    const path = `${CURRENT}/${placed.id}`;
    const broken = await until(
      () => person.get<UploadDefinition>(path),
      ({ status }) => status === 'ERROR',
    );
    expect(broken.fileDefinitions).toMatchObject([{ status: 'ERROR' }]);
    expect(await person.get<SeedUploadDefinition>(`${SEED}/${placed.id}`)).toMatchObject({
      status: 'NEW',
    });
    expect((await upload(seedUpload(placed), file())).json).toMatchObject({ status: 'LOADED' });
  });

  /** Announces more than it sends, and listens. */
  function halfSent(path: string): Promise<string> {
    const { hostname, port } = new URL(world.url);
    const head = [
      `POST ${path} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      ...Object.entries({ ...person.headers, ...BYTES }).map(
        ([name, value]) => `${name}: ${value}`,
      ),
      'Content-Length: 100000',
      '',
      '',
    ].join('\r\n');
    return new Promise((resolve, reject) => {
      let text = '';
      const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
      socket.setEncoding('utf8');
      socket.on('data', (part: string) => (text += part));
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
      socket.on('end', () => socket.destroy());
      socket.write(head + ' '.repeat(1000));
      socket.end();
    });
  }
});
