import { ExportDeleted, SliceReady } from '@quire/contracts/data-export';
import type { Scope } from '@quire/contracts/scope';
import { withTenant } from '@quire/postgres/tenant';
import { testDatabase } from '@quire/testing/database';
import { ALMA, deleted, slice, Workshop } from './workshop.js';

const BERTA: Scope = { tenantId: 'berta', actorId: 'b0000000-0000-4000-8000-000000000002' };

let shop: Workshop;

beforeAll(async () => {
  shop = await Workshop.open(await testDatabase(), 'outbox_spec');
});
afterAll(() => shop[Symbol.asyncDispose]());
beforeEach(() => shop.clear());

interface Row {
  readonly event_id: string;
  readonly tenant_id: string;
  readonly topic: string;
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly payload: string;
}
const rows = () => shop.source.query<Row[]>("select * from relay_read(1000, '{}')");

describe('the outbox', () => {
  it('keeps an event as CloudEvents 1.0 has it, with the tenant and the actor of the transaction', async () => {
    await shop.sendDeleted();
    const [row] = await rows();
    expect(row).toMatchObject({
      tenant_id: 'alma',
      topic: ExportDeleted.topic,
      key: `alma:${deleted().jobExecutionId}`,
      payload: JSON.stringify(deleted()),
    });
    expect(row?.headers).toEqual({
      ce_specversion: '1.0',
      ce_id: row?.event_id,
      ce_source: '/data-export',
      ce_type: ExportDeleted.type,
      ce_subject: deleted().jobExecutionId,
      ce_time: '2026-01-01T00:00:00.000+00:00',
      ce_tenantid: 'alma',
      ce_correlationid: deleted().jobExecutionId,
      ce_actorid: ALMA.actorId,
      'content-type': 'application/json',
    });
  });

  it('says of an event which other one led to it', async () => {
    const causationId = '11111111-1111-4111-8111-111111111111';
    await withTenant(shop.source, { ...ALMA, causationId }, (tx) =>
      shop.outbox.add(tx, ExportDeleted, deleted()),
    );
    expect((await rows())[0]?.headers).toMatchObject({ ce_causationid: causationId });
  });

  it('keeps events in the order given', async () => {
    const ordinals = Array.from({ length: 500 }, (_, index) => index);
    await shop.sendSlices(...ordinals.map((n) => slice(n)));
    const kept = (await rows()).map((row) => JSON.parse(row.payload) as { fromOrdinal: number });
    expect(kept.map((one) => one.fromOrdinal)).toEqual(ordinals);
  });

  it('writes nothing for no events', async () => {
    await shop.sendSlices();
    expect(await rows()).toEqual([]);
  });

  it('refuses a payload that breaks its class, and the whole batch with it', async () => {
    const bad = { ...slice(2), sliceNo: 'two' as unknown as number };
    await expect(shop.sendSlices(slice(1), bad)).rejects.toThrow(
      /breaks its payload class.*sliceNo/,
    );
    await expect(shop.sendSlices({ ...slice(1), more: 1 } as never)).rejects.toThrow(/more/);
    expect(await rows()).toEqual([]);
  });

  it('refuses an event of another tenant than that of the transaction', async () => {
    const send = withTenant(shop.source, BERTA, (tx) => shop.outbox.add(tx, SliceReady, slice(1)));
    await expect(send).rejects.toThrow(/another tenant/);
    expect(await rows()).toEqual([]);
  });
});

describe('the inbox', () => {
  const first = (scope: Scope, consumer: string, key = 'event') =>
    withTenant(shop.source, scope, (tx) => shop.inbox.first(tx, consumer, key));

  it('lets an event through once for each tenant and consumer', async () => {
    const key = 'once';
    expect(await first(ALMA, 'one', key)).toBe(true);
    expect(await first(ALMA, 'one', key)).toBe(false);
    expect(await first(ALMA, 'two', key)).toBe(true);
    expect(await first(BERTA, 'one', key)).toBe(true);
  });

  it('forgets an event whose effect was rolled back', async () => {
    const effect = withTenant(shop.source, ALMA, async (tx) => {
      expect(await shop.inbox.first(tx, 'one', 'rolled back')).toBe(true);
      throw new Error('killed');
    });
    await expect(effect).rejects.toThrow('killed');
    expect(await first(ALMA, 'one', 'rolled back')).toBe(true);
  });

  it('lets one of two at the same time through, and makes the other wait for its commit', async () => {
    const both = await Promise.all([first(ALMA, 'one', 'race'), first(ALMA, 'one', 'race')]);
    expect([...both].sort()).toEqual([false, true]);
  });

  it('repeats the outcome that was remembered, to the same consumer only', async () => {
    await first(ALMA, 'one', 'told');
    await withTenant(shop.source, ALMA, async (tx) => {
      expect(await shop.inbox.outcome(tx, 'one', 'told')).toBeUndefined();
      await shop.inbox.remember(tx, 'one', 'told', { saved: 7 });
    });
    const outcome = (scope: Scope, consumer: string) =>
      withTenant(shop.source, scope, (tx) => shop.inbox.outcome(tx, consumer, 'told'));
    expect(await outcome(ALMA, 'one')).toEqual({ saved: 7 });
    expect(await outcome(ALMA, 'two')).toBeUndefined();
    expect(await outcome(BERTA, 'one')).toBeUndefined();
  });
});
