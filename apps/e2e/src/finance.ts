import { randomUUID } from 'node:crypto';
import type { Budget, GroupFundFiscalYear } from '@quire/contracts/finance';
import type { Person } from './world.js';

/** What stories about finance-storage make before they tie anything. */
export const FINANCE = '/finance-storage';
export const GFFY = `${FINANCE}/group-fund-fiscal-years`;

export type Triple = Pick<GroupFundFiscalYear, 'groupId' | 'fundId' | 'fiscalYearId'>;
export type Stored<T> = T & { readonly id: string; readonly _version: number };
export interface Gffys {
  readonly groupFundFiscalYears: readonly Stored<GroupFundFiscalYear>[];
  readonly totalRecords: number;
}

const newTriple = (): Triple => ({
  groupId: randomUUID(),
  fundId: randomUUID(),
  fiscalYearId: randomUUID(),
});

/** Makes a fiscal year, a ledger, a fund and a group, those that are not there yet. */
export async function makeReferences(person: Person, ids: Partial<Triple> = {}): Promise<Triple> {
  const triple = { ...newTriple(), ...ids };
  const { groupId, fundId, fiscalYearId } = triple;
  await makeOnce(person, 'fiscal-years', fiscalYearId, {
    periodStart: '2026-01-01',
    periodEnd: '2026-12-31T23:59:59Z',
  });
  const ledgerId = randomUUID();
  await makeOnce(person, 'ledgers', ledgerId, {
    fiscalYearOneId: fiscalYearId,
    ledgerStatus: 'Active',
  });
  await makeOnce(person, 'funds', fundId, { ledgerId, fundStatus: 'Active' });
  await makeOnce(person, 'groups', groupId, { status: 'Active' });
  return triple;
}

/** Its code and its name are its id. */
async function makeOnce(person: Person, path: string, id: string, values: object): Promise<void> {
  const there = await person.send('GET', `${FINANCE}/${path}/${id}`);
  if (there.status === 200) return;
  await person.post(`${FINANCE}/${path}`, { id, code: id, name: id, ...values });
}

/** A relation with references of its own. */
export async function makeGffy(person: Person): Promise<Stored<GroupFundFiscalYear>> {
  return person.post(GFFY, await makeReferences(person));
}

export const makeBudget = (
  person: Person,
  { fundId, fiscalYearId, id = randomUUID() }: Triple & { readonly id?: string | undefined },
): Promise<Stored<Budget>> =>
  person.post(`${FINANCE}/budgets`, {
    id,
    name: id,
    budgetStatus: 'Active',
    fundId,
    fiscalYearId,
  });

export const asked = (path: string, query: string): string =>
  `${path}?query=${encodeURIComponent(query)}`;
