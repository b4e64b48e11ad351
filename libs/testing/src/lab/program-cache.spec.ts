import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, needPrograms } from './program-cache.js';

describe('the cache of fetched programs', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quire-cache-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('fetches once, also for two at once, and hands out what is whole', async () => {
    let fetched = 0;
    const fetch = async (into: string): Promise<void> => {
      fetched += 1;
      await writeFile(join(into, 'program'), 'whole');
    };
    const both = await Promise.all([cached('p-1', fetch, folder), cached('p-1', fetch, folder)]);
    expect(fetched).toBe(1);
    for (const place of [...both, await cached('p-1', fetch, folder)])
      expect(await readFile(join(place, 'program'), 'utf8')).toBe('whole');
    expect(fetched).toBe(1);
  });

  it('keeps nothing of a fetch that failed half-way, and begins anew', async () => {
    const torn = cached(
      'p-1',
      async (into) => {
        await writeFile(join(into, 'half'), '');
        throw new Error('torn');
      },
      folder,
    );
    await expect(torn).rejects.toThrow('p-1 could not be fetched: torn');
    await expect(torn).rejects.toMatchObject({ name: 'EngineMissing' });
    expect((await readdir(folder)).filter((name) => !name.includes('.lock'))).toEqual([]);
    const place = await cached('p-1', (into) => writeFile(join(into, 'program'), ''), folder);
    expect(await readdir(place)).toEqual(['program']);
  });
});

describe('needed programs', () => {
  const node = { title: 'Node', program: process.execPath, versionArgs: ['--version'] };

  it('are all named when they are not there or too old', async () => {
    const need = needPrograms('The test', [
      node,
      { title: 'Java 99', program: 'no-such-java', versionArgs: [] },
      { ...node, title: 'Node 99', version: { pattern: /v(\d+)/, least: 99 } },
    ]);
    await expect(need).rejects.toThrow(
      /^The test needs Java 99 \(`no-such-java` does not run\) and Node 99 \(there is v\d+/,
    );
    await expect(need).rejects.toMatchObject({ name: 'EngineMissing' });
  });

  it('are silent when all are there', async () => {
    await needPrograms('The test', [{ ...node, version: { pattern: /v(\d+)/, least: 24 } }]);
  });
});
