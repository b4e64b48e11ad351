import { uuidV5 } from '@quire/contracts/ids';
import { TENANT, type Answer, type ImportWorld } from './import-world.js';
import { COUNT, LOGS, useLoggedImport } from './logs-world.js';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

describe('the logs of an import', () => {
  const logged = useLoggedImport();
  const { idOf, listed } = logged;
  let world: ImportWorld;
  let jobId: string;

  beforeAll(() => {
    ({ world, jobId } = logged);
  });

  describe('keep a journal', () => {
    const journal = (query = '', id = jobId): Promise<Answer> =>
      world.get(`${LOGS}/journalRecords/${id}?${query}`);
    const rows = async (query = ''): Promise<[number, string, string][]> => {
      const { status, json } = await journal(query);
      expect(status).toBe(200);
      return (
        json.journalRecords as { sourceRecordOrder: number; actionType: string; error: string }[]
      ).map((row) => [row.sourceRecordOrder, row.actionType, row.error]);
    };

    it('of two rows for each record, all unless told otherwise', async () => {
      const { json } = await journal();
      expect(Object.keys(json)).toEqual(['journalRecords', 'totalRecords']);
      expect(json.totalRecords).toBe(2 * COUNT);
      const actions = (await rows()).map(([order, action]) => `${order} ${action}`);
      expect(actions).toEqual(
        Array.from({ length: COUNT }, (_, order) => [
          `${order} PARSE`,
          `${order} ${order === 3 ? 'UPDATE' : order === 4 ? 'MATCH' : 'CREATE'}`,
        ]).flat(),
      );
    });

    it('that says the same each time, under ids of its own', async () => {
      const { json } = await journal();
      const all = json.journalRecords as Record<string, unknown>[];
      const entry = (await listed('limit=100'))[2]!;
      const common = { jobExecutionId: jobId, tenantId: TENANT };
      expect(all.slice(0, 2)).toEqual([
        {
          ...common,
          id: uuidV5(jobId, `${idOf(0)}::PARSE`),
          sourceId: idOf(0),
          sourceRecordOrder: 0,
          actionType: 'PARSE',
          actionStatus: 'COMPLETED',
          error: '',
          actionDate: '2026-03-01T10:00:00.000+00:00',
        },
        {
          ...common,
          id: uuidV5(jobId, `${idOf(0)}:MARC_BIBLIOGRAPHIC:CREATE`),
          sourceId: idOf(0),
          sourceRecordOrder: 0,
          entityType: 'MARC_BIBLIOGRAPHIC',
          entityId: idOf(0),
          entityHrId: 'in0',
          actionType: 'CREATE',
          actionStatus: 'COMPLETED',
          error: '',
          title: 'b',
          actionDate: '2026-03-01T10:00:00.000+00:00',
        },
      ]);
      expect(all.slice(4, 6)).toEqual([
        expect.objectContaining({
          actionType: 'PARSE',
          actionStatus: 'ERROR',
          error: entry.error,
          actionDate: expect.stringMatching(/\+00:00$/),
        }),
        {
          ...common,
          id: uuidV5(jobId, `${idOf(2)}:MARC_BIBLIOGRAPHIC:CREATE`),
          sourceId: idOf(2),
          sourceRecordOrder: 2,
          entityType: 'MARC_BIBLIOGRAPHIC',
          actionType: 'CREATE',
          actionStatus: 'ERROR',
          error: entry.error,
          actionDate: expect.any(String),
        },
      ]);
      expect(all.slice(10, 12)).toEqual([
        expect.objectContaining({ actionType: 'PARSE', actionStatus: 'COMPLETED', error: '' }),
        expect.objectContaining({
          entityType: 'MARC_AUTHORITY',
          entityHrId: 'in5',
          title: 'Zoe',
          actionStatus: 'ERROR',
        }),
      ]);
      expect(new Set(all.map((row) => row.id)).size).toBe(2 * COUNT);
      expect((await journal()).json).toEqual(json);
    });

    it('against the order of the file, the reading of a record first', async () => {
      const backwards = await rows('order=desc');
      expect(backwards.slice(0, 3).map(([order, action]) => `${order} ${action}`)).toEqual([
        '11 PARSE',
        '11 CREATE',
        '10 PARSE',
      ]);
    });

    it.each(['asc', 'desc'])('by action, %s', async (order) => {
      const sign = order === 'asc' ? 1 : -1;
      const all = await rows();
      const expected = [...all].sort(
        (a, b) => sign * (a[1] === b[1] ? a[0] - b[0] : a[1] < b[1] ? -1 : 1),
      );
      expect(await rows(`sortBy=action_type&order=${order}`)).toEqual(expected);
      expect(await rows(`sortBy=action_type&order=${order}&limit=3&offset=8`)).toEqual(
        expected.slice(8, 11),
      );
    });

    it('by error', async () => {
      const all = await rows();
      const without = all.filter(([, , error]) => error === '');
      const sorted = await rows('sortBy=error');
      expect(sorted.slice(0, without.length)).toEqual(without);
      expect(sorted.slice(without.length).map(([order, action]) => `${order} ${action}`)).toEqual([
        '5 CREATE',
        '8 CREATE',
        '2 PARSE',
        '2 CREATE',
      ]);
      const backwards = await rows('sortBy=error&order=desc&limit=5');
      expect(backwards.map(([order]) => order)).toEqual([2, 2, 8, 5, 11]);
    });

    it('page by page, also in the middle of a record', async () => {
      const all = await rows();
      for (const [offset, limit] of [
        [0, 1],
        [1, 1],
        [1, 2],
        [3, 4],
        [22, 9],
        [24, 5],
      ] as const)
        expect(await rows(`offset=${offset}&limit=${limit}`)).toEqual(
          all.slice(offset, offset + limit),
        );
      expect((await journal('limit=0')).json).toEqual({ journalRecords: [], totalRecords: 24 });
    });

    it('of jobs that there are, sorted as can be', async () => {
      for (const id of [UNKNOWN_ID, 'x'])
        expect(await journal('', id)).toMatchObject({
          status: 404,
          text: `JobExecution with id '${id}' was not found`,
        });
      expect(await journal('sortBy=title')).toMatchObject({
        status: 400,
        text: "'sortBy' parameter is incorrect. parameter value {title} is not valid: The specified field for sorting journal records is invalid: 'title'",
      });
      expect((await journal('order=x')).status).toBe(400);
    });
  });
});
