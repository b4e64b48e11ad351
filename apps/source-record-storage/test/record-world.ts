import { text } from 'node:stream/consumers';
import { Controller, Module } from '@nestjs/common';
import { ChunkReady, type ChunkReadyPayload } from '@quire/contracts/data-import';
import type { EventDefinition } from '@quire/contracts/define-event';
import { uuidV5 } from '@quire/contracts/ids';
import { ROUTES } from '@quire/contracts/routes';
import type { ServiceName } from '@quire/contracts/scope';
import {
  ChunkRejected,
  ChunkSaved,
  type ChunkRejectedPayload,
  type ChunkSavedPayload,
} from '@quire/contracts/source-records';
import type { Delivery } from '@quire/messaging/event-bus';
import { Handles } from '@quire/messaging/handles';
import { Outbox } from '@quire/messaging/outbox';
import { TenantKey } from '@quire/object-store/tenant-key';
import { houseTables } from '@quire/postgres/house-tables';
import { readTenant, withTenant, type TenantRead } from '@quire/postgres/tenant';
import type { ServiceDefinition } from '@quire/service/boot';
import { startIsolated, type Isolated } from '@quire/service/isolated';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { sourceRecordStorage } from '../src/service.js';

export const TENANT = 'library';
export const OTHER_TENANT = 'archive';
export const USER_ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';
export const FILE_ID = '5a6de9c9-9b1e-4b0b-8f4f-1c3a6e1e7d22';
const PROFILE_ID = 'e34d7b92-9b83-11eb-a8b3-0242ac130003';
const NAMES = '0b7c7a3e-5f4d-4c55-9a70-3d1c2a4e8f11';
const PERMISSIONS = ROUTES.flatMap(({ service, permission }) =>
  service === 'source-record-storage' && permission !== undefined ? [permission] : [],
);

/** The same name gives the same UUID. */
export const idOf = (name: string): string => uuidV5(NAMES, name);

/** What data-import is told of a chunk. */
export type Told =
  | { readonly name: 'ChunkSaved'; readonly payload: ChunkSavedPayload; readonly actorId: string }
  | { readonly name: 'ChunkRejected'; readonly payload: ChunkRejectedPayload };

export interface Sending {
  readonly tenantId?: string;
  /** Name of the job. */
  readonly job?: string;
  readonly chunkNo?: number;
  readonly firstOrder?: number;
  /** Bytes of the file before the chunk. */
  readonly offset?: number;
  readonly changes?: Partial<ChunkReadyPayload>;
  readonly options?: Partial<ChunkReadyPayload['options']>;
  readonly profile?: Partial<ChunkReadyPayload['profile']>;
}

export interface Ask {
  readonly tenant?: string;
  readonly issuer?: ServiceName;
  readonly permissions?: readonly string[];
  readonly body?: object;
  readonly accept?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever a test expects of an answer
  readonly json: any;
}

/**
 * source-record-storage on its own, beside a data-import that only sends what it is told to, through a real outbox, and
 * keeps the answers.
 */
export class RecordWorld implements AsyncDisposable {
  private constructor(
    readonly isolated: Isolated,
    private readonly told: Told[],
  ) {}

  static async start(databaseUrl: string): Promise<RecordWorld> {
    const told: Told[] = [];
    const definitions = [importStub(told), sourceRecordStorage];
    const world = new RecordWorld(await startIsolated(definitions, { databaseUrl }), told);
    for (const tenant of [TENANT, OTHER_TENANT]) await world.isolated.enable(tenant);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.isolated.stop();
  }

  /** Stores a file of these frames and sends its one chunk. @returns the chunk, and what came back of it */
  async send(
    frames: readonly Buffer[],
    sending: Sending = {},
  ): Promise<{ chunk: ChunkReadyPayload; told: Told[] }> {
    const chunk = await this.store(frames, sending);
    return { chunk, told: await this.offer(chunk) };
  }

  /** Stores the file only. */
  async store(frames: readonly Buffer[], sending: Sending = {}): Promise<ChunkReadyPayload> {
    const chunk = chunkOf(frames, sending);
    const before = Buffer.alloc(chunk.offset, 'x');
    const key = TenantKey.parse(chunk.objectKey);
    await this.isolated.store.put(key, [before, ...frames] as unknown as AsyncIterable<Buffer>);
    return chunk;
  }

  /** Sends a chunk, for the first time or again, and gives everything that was ever answered to it. */
  async offer(chunk: ChunkReadyPayload): Promise<Told[]> {
    await this.publish(ChunkReady, chunk);
    return this.told.filter(({ payload }) => payload.chunkId === chunk.chunkId);
  }

  async publish<P extends object>(event: EventDefinition<P>, payload: P): Promise<void> {
    const service = this.isolated.services.get('data-import');
    const { tenantId } = payload as { tenantId?: string };
    const scope = { tenantId: tenantId ?? TENANT, actorId: USER_ID };
    const outbox = service?.app.get(Outbox);
    await withTenant(this.source('data-import'), scope, async (tx) => {
      await outbox?.add<object>(tx, event as EventDefinition<object>, payload);
    });
    await this.isolated.settled();
  }

  /** Rows of the service's own tables; the first parameter is the tenant. */
  rows<R extends object>(sql: string, params: readonly unknown[] = [], tenantId = TENANT): Promise<R[]> {
    const ask = (tx: TenantRead): Promise<R[]> => tx.query<R>(sql, [tx.tenantId, ...params]);
    return readTenant(this.source('source-record-storage'), { tenantId, actorId: USER_ID }, ask);
  }

  get(target: string, ask: Ask = {}): Promise<Answer> {
    return this.ask('GET', target, ask);
  }

  /** A request as the gateway would pass it on. */
  async ask(method: 'GET' | 'POST', target: string, ask: Ask = {}): Promise<Answer> {
    const answer = await this.call(method, target, ask);
    const body = await text(answer.body);
    let json: unknown;
    try {
      json = JSON.parse(body);
    } catch {
      json = undefined;
    }
    return { status: answer.status, headers: answer.headers, text: body, json };
  }

  async bytes(target: string, body: object, tenant = TENANT): Promise<Buffer> {
    const accept = 'application/octet-stream';
    const answer = await this.call('POST', target, { body, tenant, accept, issuer: 'data-export' });
    expect(answer.status).toBe(200);
    const parts: Buffer[] = [];
    for await (const part of answer.body) parts.push(part as Buffer);
    return Buffer.concat(parts);
  }

  private call(method: 'GET' | 'POST', target: string, ask: Ask) {
    const { tenant = TENANT, issuer = 'gateway', permissions = PERMISSIONS, body, accept } = ask;
    const clients = { gateway: this.isolated.client } as Partial<Record<ServiceName, typeof this.isolated.client>>;
    const client = clients[issuer] ?? this.clientOf(issuer);
    return client.call({
      to: 'source-record-storage',
      method,
      target,
      scope: { tenantId: tenant, actorId: USER_ID },
      claims: { permissions },
      ...(body === undefined ? {} : { body }),
      ...(accept === undefined ? {} : { headers: { accept } }),
    });
  }
}
