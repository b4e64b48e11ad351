import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { contractPage, DECLARED_STATUSES } from './src/declared-statuses.js';
import { declared, SEED_CALLS } from './src/seed-oracle.js';
import type { Stage } from './src/statuses/line.js';
import { exportEnds, importEnds, instanceIds, runExport, startImport } from './src/steps.js';
import { World, type Person } from './src/world.js';
import { generateMarc } from '@quire/testing/marc';

const PROFILE = '6f7f3cd7-9f24-42eb-ae91-91af1cd54d0a';

describe('what the seeds declare', () => {
  let world: World;
  let stage: Stage;

  beforeAll(async () => {
    world = await World.open();
    stage = await set(world);
  });

  afterAll(() => world[Symbol.asyncDispose]());

  const provoked = DECLARED_STATUSES.flatMap(({ send, ...line }) =>
    send ? [[line.call, line.status, line.by, send] as const] : [],
  );

  it.each(provoked)('%s answers %d: %s', async (_call, status, _by, send) => {
    const answer = await send(stage);
    expect([answer.status, answer.text]).toEqual([status, answer.text]);
    if (status >= 400 && status !== 422) expect(answer.text.trim()).not.toBe('');
  });

  it('is listed in full, each status of each call once', () => {
    const wanted = SEED_CALLS.flatMap((call) =>
      declared(call).map((status) => `${call} ${status}`),
    );
    const listed = DECLARED_STATUSES.filter((line) => line.seed !== '004').map(
      (line) => `${line.call} ${line.status}`,
    );
    expect([...listed].sort()).toEqual([...wanted].sort());
  });

  it('stands in docs/contract.md as it is tested', () => {
    const page = fileURLToPath(new URL('../../docs/contract.md', import.meta.url));
    expect(readFileSync(page, 'utf8')).toBe(contractPage());
  });
});

async function set(world: World): Promise<Stage> {
  const person = await world.as();
  const file = Buffer.concat([...generateMarc(3, 2)]);
  const imported = await importEnds(person, await startImport(person, file));
  const ids = await instanceIds(person, imported.id);
  const spareFileDefinition = async (): Promise<string> =>
    (await person.post<{ id: string }>('/data-export/file-definitions', { fileName: 'a.csv' })).id;
  const exported = async (): Promise<Stage['job']> => {
    const fileDefinitionId = await spareFileDefinition();
    const uploaded = await person.upload<{ jobExecutionId: string }>(
      `/data-export/file-definitions/${fileDefinitionId}/upload`,
      ids.join('\n'),
    );
    const request = { fileDefinitionId, jobProfileId: PROFILE };
    await person.post('/data-export/export', request, 204);
    const job = await exportEnds(person, uploaded.jobExecutionId);
    return {
      id: uploaded.jobExecutionId,
      fileId: job.exportedFiles?.[0]?.fileId ?? '',
      fileDefinitionId,
    };
  };
  return {
    world,
    person,
    job: await exported(),
    definition: await definitionOf(person),
    spareJob: async () => (await runExport(person, ids.join('\n'))).id,
    spareFileDefinition,
  };
}

async function definitionOf(person: Person): Promise<Stage['definition']> {
  const made = await person.post<{ id: string; fileDefinitions: { id: string }[] }>(
    '/data-import/upload/definition',
    { fileDefinitions: [{ name: 'a.mrc' }] },
  );
  return { id: made.id, fileId: made.fileDefinitions[0]?.id ?? '' };
}
