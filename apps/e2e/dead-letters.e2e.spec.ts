import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { runningPostgresUrl } from '@quire/embedded/running';
import { Client } from 'pg';
import { quireWith, type Ended } from './src/command-line.js';
import { World } from './src/world.js';

const TYPE = 'quire.data-export.Nonsense.v1';

describe('an operator looks after events that were given up', () => {
  let world: World;
  let database: Client;

  beforeAll(async () => {
    world = await World.open();
    const connectionString = await runningPostgresUrl(join(world.dataDir, 'postgres'));
    database = new Client({ connectionString });
    await database.connect();
  });
  afterAll(async () => {
    await database.end();
    await world[Symbol.asyncDispose]();
  });

  const deadLetters = (...words: string[]): Promise<Ended> =>
    quireWith(['dead-letters', ...words], world.settings);

  /** An event of a version that is not here, by a faulty sender. */
  async function poison(): Promise<string> {
    const id = randomUUID();
    const headers = { ce_id: id, ce_type: TYPE, ce_tenantid: 'library' };
    await database.query(
      `insert into data_export.outbox (tenant_id, event_id, topic, key, headers, payload)
       values ('library', $1, 'quire.data-export.job.v1', 'k', $2, '{}')`,
      [id, headers],
    );
    await world.quire.settled();
    return id;
  }

  const audited = async (id: string): Promise<string[]> => {
    const { rows } = await database.query<{ action: string }>(
      'select action from data_export.audit where subject = $1',
      [id],
    );
    return rows.map(({ action }) => action);
  };

  it('finds none where none is', async () => {
    expect(await deadLetters('list')).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: 'No dead letters.\n',
    });
  });

  it('lists them with their reason and shows one whole', async () => {
    const id = await poison();
    const list = await deadLetters('list', '--service', 'data-export');
    expect(list.stdout).toMatch(
      new RegExp(`^\\S+ {2}${id} {2}data-export {2}${TYPE} {2}library {2}UNKNOWN_TYPE`, 'm'),
    );
    const shown = await deadLetters('show', '--id', id);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      id,
      service: 'data-export',
      reason: 'UNKNOWN_TYPE',
      payload: '{}',
      place: expect.stringMatching(/^data_export\.dead_letter\/\d+$/),
    });
    expect((await deadLetters('list', '--service', 'gateway')).stdout).toBe('');
  });

  it('sends one again, which fails again while its cause is there', async () => {
    const id = await poison();
    expect((await deadLetters('replay', '--id', id, '--dry-run')).stdout).toContain(id);
    expect(await audited(id)).toEqual([]);
    expect((await deadLetters('replay', '--id', id)).exitCode).toBe(0);
    await world.quire.settled();
    expect(await audited(id)).toEqual(['DEAD_LETTER_REPLAYED']);
    expect((await deadLetters('list')).stdout).toContain(id);
  });

  it('writes them off with a reason, and then they are gone', async () => {
    const id = await poison();
    expect((await deadLetters('discard', '--all')).exitCode).toBe(2);
    const reason = ['--reason', 'of a test'];
    expect((await deadLetters('discard', '--all', ...reason)).stdout).toContain(id);
    expect((await deadLetters('list')).stdout).toBe('');
    expect(await audited(id)).toEqual(['DEAD_LETTER_DISCARDED']);
  });

  it.each([
    ['no verb', [], 2],
    ['neither one nor all', ['replay'], 2],
    ['both', ['replay', '--all', '--id', 'x'], 2],
    ['a service that is none', ['list', '--service', 'x'], 2],
    ['an id that is not there', ['show', '--id', randomUUID()], 4],
  ])('is told what is wrong with %s', async (_, words, exitCode) => {
    const result = await deadLetters(...words);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toMatch(/^quire: \S/);
  });
});
