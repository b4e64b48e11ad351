import { testDatabase } from '@quire/testing/database';
import type { DataSource } from 'typeorm';
import {
  APART,
  asOneTransaction,
  readTenant,
  withTenant,
  type TenantTx,
  type TransactionFrame,
} from '../src/tenant.js';
import { ALMA, BERTA, openShelf, sqlState, type Shelf } from './shelf.js';

let shelf: Shelf;
let source: DataSource;

beforeAll(async () => {
  shelf = await openShelf(await testDatabase(), 'one_transaction_spec');
  ({ source } = shelf);
});
afterAll(() => shelf[Symbol.asyncDispose]());
beforeEach(async () => {
  for (const scope of [ALMA, BERTA])
    await withTenant(source, scope, (tx) => tx.execute('delete from book'));
});

const add = (id: number, scope = ALMA, place?: typeof APART): Promise<number> =>
  withTenant(
    source,
    scope,
    (tx) => tx.execute('insert into book (tenant_id, id) values ($1, $2)', [tx.tenantId, id]),
    place,
  );

async function books(scope = ALMA): Promise<number[]> {
  const rows = await readTenant(source, scope, (tx) =>
    tx.query<{ id: number }>('select id from book where tenant_id = $1 order by id', [tx.tenantId]),
  );
  return rows.map(({ id }) => id);
}

const NOTHING: TransactionFrame<unknown> = {
  begin: () => Promise.resolve(),
  finish: () => Promise.resolve(),
};
const whole = (work: () => Promise<unknown>, frame = NOTHING): Promise<unknown> =>
  asOneTransaction(source, ALMA, work, frame);

describe('work as one transaction', () => {
  it('commits everything that it wrote, or nothing', async () => {
    const failing = whole(async () => {
      await add(1);
      await add(2);
      throw new Error('thought better of it');
    });
    await expect(failing).rejects.toThrow('thought better of it');
    expect(await books()).toEqual([]);
    await whole(async () => {
      await add(1);
      await add(2);
    });
    expect(await books()).toEqual([1, 2]);
  });

  it('goes on after a part that failed, without what that wrote', async () => {
    await whole(async () => {
      await add(1);
      expect(await sqlState(add(1))).toBe('23505');
      await add(2);
    });
    expect(await books()).toEqual([1, 2]);
  });

  it('sees in its reads what it wrote, as soon as it has written', async () => {
    await whole(async () => {
      expect(await books()).toEqual([]);
      await add(1);
      expect(await books()).toEqual([1]);
    });
  });

  it('does its parts one after the other, those within a part inside it', async () => {
    await whole(async () => {
      await Promise.all([1, 2, 3, 4].map((id) => add(id)));
      await withTenant(source, ALMA, async (tx) => {
        await add(5);
        await tx.execute('update book set title = $2 where tenant_id = $1 and id = 5', [
          tx.tenantId,
          'five',
        ]);
      });
    });
    expect(await books()).toEqual([1, 2, 3, 4, 5]);
  });

  it('leaves apart what says so, and what is for another tenant', async () => {
    const failing = whole(async () => {
      await add(1);
      await add(2, ALMA, APART);
      await add(3, BERTA);
      throw new Error('thought better of it');
    });
    await expect(failing).rejects.toThrow('thought better of it');
    expect([await books(), await books(BERTA)]).toEqual([[2], [3]]);
  });

  it('is over for what goes on after it', async () => {
    let go = (): void => undefined;
    const signal = new Promise<void>((resolve) => (go = resolve));
    let later: Promise<number> | undefined;
    await whole(() => {
      later = signal.then(() => add(1));
      return add(2);
    });
    go();
    await later;
    expect(await books()).toEqual([1, 2]);
  });

  it('begins and finishes with its frame, but only when it wrote', async () => {
    const seen: string[] = [];
    const note = (what: string, id: number) => async (tx: TenantTx) => {
      seen.push(what);
      await tx.execute('insert into book (tenant_id, id) values ($1, $2)', [tx.tenantId, id]);
    };
    const frame = { begin: note('begin', 8), finish: note('finish', 9) };
    await whole(() => books(), frame);
    expect(seen).toEqual([]);
    await whole(() => add(1), frame);
    expect([seen, await books()]).toEqual([
      ['begin', 'finish'],
      [1, 8, 9],
    ]);
  });

  it('writes nothing when its frame fails', async () => {
    const refuse = (): Promise<void> => Promise.reject(new Error('no'));
    await expect(whole(() => add(1), { ...NOTHING, begin: refuse })).rejects.toThrow('no');
    await expect(whole(() => add(1), { ...NOTHING, finish: refuse })).rejects.toThrow('no');
    expect(await books()).toEqual([]);
  });
});
