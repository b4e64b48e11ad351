import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import { generateMarc } from '@quire/testing/marc';
import {
  DEFAULT_EXPORT_PROFILE,
  importEnds,
  instanceIds,
  runExport,
  startImport,
} from './src/steps.js';
import { World, type Answer, type Person } from './src/world.js';

/*
 * The seeds print a JSON Schema for each body. They are the oracle here: our answers must satisfy them, and what we call a
 * violation must be one to them.
 */
interface SeedCall {
  readonly request: object | null;
  readonly responses: Readonly<Record<string, object | null>>;
}
type Seed = Readonly<Record<string, SeedCall>>;

const seedOf = (name: string): Seed =>
  JSON.parse(
    readFileSync(
      fileURLToPath(new URL(`../../libs/testing/src/seeds/${name}.json`, import.meta.url)),
      'utf8',
    ),
  ) as Seed;

const dataExport = seedOf('data-export');
const dataImport = seedOf('data-import');
const sourceStorage = seedOf('source-storage');

const ajv = new Ajv.default({ strict: false, allErrors: true });
addFormats.default(ajv);

/**
 * The seeds repeat `$schema` and `id` inside; as identifiers they mean nothing and collide. Their `parameters` are called an
 * object with items, and are an array in their examples and in every client.
 */
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(
    ([key, value]) => key !== '$schema' && !(key === 'id' && typeof value === 'string'),
  );
  const result = Object.fromEntries(entries.map(([key, value]) => [key, plain(value)]));
  return result['type'] === 'object' && 'items' in result ? { ...result, type: 'array' } : result;
}

/** What the schemas of seed 001 refer to by file name; its own metadata and error schemas stand in full in seed 000. */
function definitionOf(path: readonly string[], from: unknown): object {
  const found = path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], from);
  return plain(found) as object;
}

const exportRequest = dataExport['POST /data-export/export'];
const metadata = definitionOf(['properties', 'metadata'], exportRequest?.request);
const error = definitionOf(['properties', 'errors', 'items'], exportRequest?.responses['422']);
const importCall = (call: string): object => plain(dataImport[call]?.request) as object;
const referred: Readonly<Record<string, object>> = {
  '../../raml-util/schemas/metadata.schema': metadata,
  'error.schema': error,
  'fileDefinition.json': importCall('POST /data-import/upload/definition/file'),
  'uploadDefinition.json': importCall('POST /data-import/upload/definition'),
};

/** Puts the schemas in place of the references. */
function whole(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(whole);
  if (typeof schema !== 'object' || schema === null) return schema;
  const reference = (schema as { $ref?: unknown }).$ref;
  if (typeof reference === 'string') return whole(referred[reference]);
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, whole(value)]));
}

function accepts(seed: Seed, call: string, answer: Answer): void {
  const schema = seed[call]?.responses[String(answer.status)];
  if (!schema) throw new Error(`The seed declares no body for ${call} ${answer.status}.`);
  const validate = ajv.compile(whole(plain(schema)) as object);
  validate(answer.json);
  expect(validate.errors ?? []).toEqual([]);
}

describe('the schemas of the seeds accept our answers', () => {
  let world: World;
  let person: Person;

  beforeAll(async () => {
    world = await World.open();
    person = await world.as();
  });

  afterAll(() => world[Symbol.asyncDispose]());

  it('for the calls of data import v1.1', async () => {
    const post = (path: string, json: unknown): Promise<Answer> =>
      person.send('POST', path, { json });
    const base = '/data-import/upload/definition';
    const made = await post(base, { fileDefinitions: [{ name: 'a.mrc' }, { name: 'b.mrc' }] });
    accepts(dataImport, `POST ${base}`, made);
    const { id, fileDefinitions } = made.json as { id: string; fileDefinitions: { id: string }[] };
    accepts(dataImport, `GET ${base}`, await person.send('GET', base));
    accepts(dataImport, `GET ${base}/{definitionId}`, await person.send('GET', `${base}/${id}`));
    const changed = await person.send('PUT', `${base}/${id}`, { json: made.json });
    accepts(dataImport, `PUT ${base}/{definitionId}`, changed);
    const added = await post(`${base}/file`, { name: 'c.mrc', uploadDefinitionId: id });
    accepts(dataImport, `POST ${base}/file`, added);
    const target = `/data-import/upload/file?uploadDefinitionId=${id}&fileId=${fileDefinitions[0]?.id ?? ''}`;
    const headers = { 'content-type': 'application/octet-stream' };
    const body = Buffer.concat([...generateMarc(5, 3)]);
    accepts(
      dataImport,
      'POST /data-import/upload/file',
      await person.send('POST', target, { headers, body }),
    );
    accepts(dataImport, `POST ${base}`, await post(base, { fileDefinitions: [{}], nonsense: 1 }));
  });

  it('for the calls of data export v2.0 and the snapshot of an import', async () => {
    const imported = await importEnds(
      person,
      await startImport(person, Buffer.concat([...generateMarc(6, 20)])),
    );
    const snapshot = await person.send('GET', `/source-storage/snapshots/${imported.id}`);
    accepts(sourceStorage, 'GET /source-storage/snapshots/{jobExecutionId}', snapshot);
    const ids = await instanceIds(person, imported.id);
    const job = await runExport(person, ids.join('\n'));
    accepts(
      dataExport,
      'GET /data-export/job-executions',
      await person.send('GET', '/data-export/job-executions'),
    );
    const link = `/data-export/job-executions/${job.id}/download/${job.exportedFiles?.[0]?.fileId ?? ''}`;
    accepts(
      dataExport,
      'GET /data-export/job-executions/{jobExecutionId}/download/{exportFileId}',
      await person.send('GET', link),
    );
    const quick = {
      type: 'uuid',
      recordType: 'INSTANCE',
      uuids: ids,
      jobProfileId: DEFAULT_EXPORT_PROFILE,
    };
    accepts(
      dataExport,
      'POST /data-export/quick-export',
      await person.send('POST', '/data-export/quick-export', { json: quick }),
    );
  });

  it.each([
    ['POST /data-export/export', { fileDefinitionId: 'x' }],
    [
      'POST /data-export/export',
      {
        fileDefinitionId: DEFAULT_EXPORT_PROFILE,
        jobProfileId: DEFAULT_EXPORT_PROFILE,
        recordType: 'SHELF',
      },
    ],
    [
      'POST /data-export/export',
      {
        fileDefinitionId: DEFAULT_EXPORT_PROFILE,
        jobProfileId: DEFAULT_EXPORT_PROFILE,
        more: true,
      },
    ],
    ['POST /data-export/quick-export', { type: 'sql', recordType: 'INSTANCE' }],
    ['POST /data-export/quick-export', { type: 'uuid', recordType: 'INSTANCE', uuids: ['x'] }],
    ['POST /data-export/quick-export', { recordType: 'INSTANCE' }],
  ])('and what we refuse as a violation is one: %s %j', async (call, json) => {
    const schema = dataExport[call]?.request;
    expect(ajv.compile(whole(plain(schema)) as object)(json)).toBe(false);
    const answer = await person.send('POST', call.slice('POST '.length), { json });
    expect(answer.status).toBe(422);
    accepts(dataExport, call, answer);
  });
});
