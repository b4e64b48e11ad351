import { text } from 'node:stream/consumers';
import { FINANCE_EVENTS } from '@quire/contracts/finance-events';
import { ROUTES } from '@quire/contracts/routes';
import { readTenant, withTenant, type TenantRead, type TenantTx } from '@quire/postgres/tenant';
import { startIsolated, type Isolated } from '@quire/service/isolated';
import type { DataSource } from 'typeorm';
import { financeStorage } from '../src/service.js';

/** finance-storage on its own, on a real Postgres, asked as the gateway would ask. */
export const TENANT = 'library';
export const OTHER_TENANT = 'archive';
export const USER_ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';

const PERMISSIONS = ROUTES.flatMap(({ service, permission }) =>
  service === 'finance-storage' && permission !== undefined ? [permission] : [],
);

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface Ask {
  readonly tenant?: string;
  /** {@link USER_ID} unless said. */
  readonly user?: string;
  readonly permissions?: readonly string[];
  readonly body?: unknown;
  /** Sent as they are, instead of a body. */
  readonly bytes?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever a test expects of an answer
  readonly json: any;
}

/** What was made; a PUT of it changes nothing. */
export interface Made {
  readonly id: string;
  readonly _version: number;
}

/** One of each entity that a budget and a group-fund-fiscal-year need. */
export interface Library {
  readonly year: Made;
  readonly ledger: Made;
  readonly fundType: Made;
  readonly fund: Made;
  readonly group: Made;
}

/** An event of {@link TENANT}: `FundUpdated`, and the whole payload but for the tenant. */
export interface Told {
  readonly type: string;
  readonly id: string;
  readonly _version: number;
  readonly changed: readonly string[];
}

/** A year that contains today, whenever today is. */
export const ALWAYS = { periodStart: '2000-01-01', periodEnd: '2199-12-31T23:59:59Z' };
export const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

export class FinanceWorld implements AsyncDisposable {
  private told: Told[] = [];

  private constructor(readonly isolated: Isolated) {
    isolated.bus.subscribe({
      group: 'data-export',
      types: FINANCE_EVENTS.map(({ type }) => type),
      handle: ({ type, payload }) => {
        const { tenantId, ...rest } = JSON.parse(payload) as Told & { readonly tenantId: string };
        const [, name = ''] = /\.(\w+)\.v1$/.exec(type) ?? [];
        if (tenantId === TENANT) this.told.push({ ...rest, type: name });
        return Promise.resolve();
      },
      giveUp: () => Promise.resolve(),
    });
  }

  /** @param sample load the sample data into {@link TENANT} */
  static async start(databaseUrl: string, sample = false): Promise<FinanceWorld> {
    const world = new FinanceWorld(await startIsolated([financeStorage], { databaseUrl }));
    await world.isolated.enable(TENANT, { loadReference: sample, loadSample: sample });
    await world.isolated.enable(OTHER_TENANT);
    return world;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.isolated.stop();
  }

  /** A call below `/finance-storage`. */
  async ask(method: Method, target: string, ask: Ask = {}): Promise<Answer> {
    const {
      tenant = TENANT,
      user = USER_ID,
      permissions = PERMISSIONS,
      body,
      bytes,
      headers,
    } = ask;
    const answer = await this.isolated.client.call({
      to: 'finance-storage',
      method,
      target: `/finance-storage${target}`,
      scope: { tenantId: tenant, actorId: user },
      claims: { permissions, username: 'ann' },
      ...(body === undefined ? {} : { body: body as object }),
      ...(bytes === undefined ? {} : { bytes }),
      ...(headers === undefined ? {} : { headers }),
    });
    const received = await text(answer.body);
    let json: unknown;
    try {
      json = JSON.parse(received);
    } catch {
      json = undefined;
    }
    return { status: answer.status, headers: answer.headers, text: received, json };
  }

  /** Makes one; it must be a success. @returns what was stored */
  async make(path: string, body: object, tenant = TENANT): Promise<Made> {
    const answer = await this.ask('POST', `/${path}`, { body, tenant });
    expect([answer.status, answer.text]).toEqual([201, answer.text]);
    return answer.json as Made;
  }

  /** @param name of a library, which stands in all its names and codes */
  async library(name: string, tenant = TENANT): Promise<Library> {
    const code = name;
    const make = (path: string, body: object): Promise<Made> => this.make(path, body, tenant);
    const year = await make('fiscal-years', { code, name, ...ALWAYS });
    const ledger = await make('ledgers', {
      code,
      name,
      fiscalYearOneId: year.id,
      ledgerStatus: 'Active',
    });
    const fundType = await make('fund-types', { name });
    const fund = await make('funds', {
      code,
      name,
      fundStatus: 'Active',
      ledgerId: ledger.id,
      fundTypeId: fundType.id,
    });
    const group = await make('groups', { code, name, status: 'Active' });
    return { year, ledger, fundType, fund, group };
  }

  /** The stored object. */
  async get(
    path: string,
    { id }: { readonly id: string },
  ): Promise<Made & Record<string, unknown>> {
    const answer = await this.ask('GET', `/${path}/${id}`);
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    return answer.json as Made & Record<string, unknown>;
  }

  /** Opened as the service's app role. */
  get source(): DataSource {
    const source = this.isolated.sources.get('finance-storage');
    if (!source) throw new Error('finance-storage does not run.');
    return source;
  }

  /** What was told since the last time. */
  async events(): Promise<readonly Told[]> {
    await this.isolated.settled();
    const { told } = this;
    this.told = [];
    return told;
  }

  /** In a reading transaction of the tenant. */
  read<T>(work: (tx: TenantRead) => Promise<T>): Promise<T> {
    return readTenant(this.source, { tenantId: TENANT, actorId: USER_ID }, work);
  }

  /** In a writing transaction of the tenant. */
  write<T>(work: (tx: TenantTx) => Promise<T>): Promise<T> {
    // eslint-disable-next-line no-restricted-syntax -- stores are handed a transaction, here by the test
    return withTenant(this.source, { tenantId: TENANT, actorId: USER_ID }, work);
  }

  /** Rows of the service's own tables; the first parameter is the tenant. */
  rows<R extends object>(sql: string, params: readonly unknown[] = []): Promise<R[]> {
    return this.read((tx) => tx.query<R>(sql, [tx.tenantId, ...params]));
  }
}
