import type { ImportWorld } from './import-world.js';
import { frames, LOGS, useLoggedImport, type Shown } from './logs-world.js';

describe('the logs of an import', () => {
  const logged = useLoggedImport();
  const { entries } = logged;
  let world: ImportWorld;

  beforeAll(() => {
    ({ world } = logged);
  });

  describe('of a file of many chunks', () => {
    const MANY = 2500;
    let large: string;

    beforeAll(async () => {
      const record = frames[0]!;
      const file = Buffer.alloc(MANY * record.length);
      for (let order = 0; order < MANY; order += 1) record.copy(file, order * record.length);
      ({ jobId: large } = await world.start(file));
      const chunks = await world.sent.of(large, 3);
      for (const chunk of chunks) {
        const errors = [0, 10].map((more) => ({
          o: chunk.firstOrder + more,
          at: 0,
          len: record.length,
          c: 'STORE',
        }));
        const none = { updated: 0, unchanged: 0, warned: 0, byType: {}, warnings: {} };
        await world.saved(chunk, {
          counts: { ...none, created: chunk.count - 2, failed: 2 },
          errors,
        });
        for (let more = 0; more < chunk.count; more += 1)
          if (more !== 0 && more !== 10) world.sent.saved.add(large, chunk.firstOrder + more);
      }
    });

    const at = async (query: string): Promise<number[]> =>
      ((await entries(query, large)).json as { entries: Shown[] }).entries.map((entry) =>
        Number(entry.sourceRecordOrder),
      );

    it('find a far offset by its chunk', async () => {
      world.sent.saved.asked.length = 0;
      expect(await at('offset=1999&limit=3')).toEqual([1999, 2000, 2001]);
      expect(world.sent.saved.asked.map((query) => query.from)).toEqual(['1000']);
      world.sent.saved.asked.length = 0;
      expect(await at('offset=1500&limit=2&order=desc')).toEqual([999, 998]);
      expect(world.sent.saved.asked.map((query) => query.from)).toEqual(['999']);
      expect(await at('offset=2490&limit=100')).toHaveLength(10);
    });

    it('are all given to who asks for all', async () => {
      const { json } = await entries('limit=2147483647', large);
      expect(json.totalRecords).toBe(MANY);
      const found = (json.entries as Shown[]).map((entry) => Number(entry.sourceRecordOrder));
      expect(found).toEqual(Array.from({ length: MANY }, (_, order) => order));
      expect(await at('sortBy=error&offset=2493&limit=3')).toEqual([2499, 0, 10]);
      const journal = await world.get(`${LOGS}/journalRecords/${large}?offset=3999&limit=2`);
      expect(
        (journal.json.journalRecords as { sourceRecordOrder: number; actionType: string }[]).map(
          (row) => `${row.sourceRecordOrder} ${row.actionType}`,
        ),
      ).toEqual(['1999 CREATE', '2000 PARSE']);
    });

    it('count only what is still listed once records were removed', async () => {
      const { saved } = world.sent;
      saved.entries = saved.entries.filter(
        (one) => one.snapshotId !== large || one.order < 100 || one.order >= 200,
      );
      const { json } = await entries('offset=1900&limit=1', large);
      expect(json.totalRecords).toBe(MANY - 100);
      expect(Number((json.entries as Shown[])[0]?.sourceRecordOrder)).toBe(2000);
      // Counts stay.
      expect((await world.get(`${LOGS}/jobSummary/${large}`)).json).toMatchObject({
        sourceRecordSummary: { totalCreatedEntities: MANY - 6 },
      });
    });
  });
});
