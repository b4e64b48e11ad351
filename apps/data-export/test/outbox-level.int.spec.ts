import { OutboxLevel } from '@quire/messaging/outbox-level';
import { testDatabase } from '@quire/testing/database';
import { DEFAULT_PROFILE, ExportWorld, idsOf, recordOf } from './export-world.js';

/** Looks are made by the spec. */
const NEVER_MS = 3_600_000;
const ROWS_MAX = 5;

describe('while the bus takes no events', () => {
  it('no export begins once too many wait, those that run end, and it begins when they have left', async () => {
    await using database = await testDatabase();
    await using world = await ExportWorld.start(database.url, {}, undefined, {
      outbox: { outboxRowsMax: ROWS_MAX, outboxLookMs: NEVER_MS },
    });
    const ids = idsOf(1);
    world.has(ids);
    const level = world.isolated.services.get('data-export')?.app.get(OutboxLevel);
    const { bus } = world.isolated;
    const publish = bus.publish.bind(bus);
    const start = async () => {
      const { id, jobExecutionId } = await world.uploaded(ids.join('\n'));
      const again = () =>
        world.ask('POST', '/data-export/export', {
          body: { fileDefinitionId: id, jobProfileId: DEFAULT_PROFILE },
        });
      await level?.look();
      return { jobExecutionId, again, answer: await again() };
    };
    bus.publish = () => Promise.resolve({ outcome: 'postponed' });
    const running: string[] = [];
    let last = await start();
    for (; last.answer.status === 204 && running.length <= ROWS_MAX; last = await start())
      running.push(last.jobExecutionId);
    expect(last.answer).toMatchObject({ status: 503, text: 'Service unavailable, retry in 30 s' });
    expect(last.answer.headers.get('retry-after')).toBe('30');
    expect((await world.job(last.jobExecutionId)).status).toBe('NEW');
    bus.publish = publish;
    for (const job of running) expect((await world.ended(job)).status).toBe('COMPLETED');
    await world.isolated.settled();
    await level?.look();
    expect((await last.again()).status).toBe(204);
    const job = await world.ended(last.jobExecutionId);
    expect(job.status).toBe('COMPLETED');
    expect(await world.file(job)).toEqual(recordOf(ids[0] ?? ''));
  });
});
