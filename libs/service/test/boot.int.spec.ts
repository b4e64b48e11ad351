import { setTimeout as delay } from 'node:timers/promises';
import { Body, Controller, HttpCode, Injectable, Module, Post } from '@nestjs/common';
import { ScopeOf, Permissions } from '@quire/auth/permissions';
import { SliceFinished, SliceFinishedPayload } from '@quire/contracts/data-export';
import { Uuid } from '@quire/contracts/fields';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { GIVEN_UP_REASONS, type Delivery } from '@quire/messaging/event-bus';
import { Handles } from '@quire/messaging/handles';
import { Inbox } from '@quire/messaging/inbox';
import { Outbox } from '@quire/messaging/outbox';
import { houseMigrations } from '@quire/postgres/house-migrations';
import { houseTables, protect } from '@quire/postgres/house-tables';
import { readTenant, withTenant, type TenantTx } from '@quire/postgres/tenant';
import { testDatabase, type TestDatabase } from '@quire/testing/database';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import type { ServiceDefinition } from '../src/boot.js';
import { startIsolated, type Isolated } from '../src/isolated.js';
import { Metrics } from '../src/metrics.js';
import { TENANT_SEED, Tenants, type SeedRequest, type TenantSeed } from '../src/tenants.js';

class Ask {
  @Uuid() readonly fileDefinitionId: string;
  @Uuid() readonly jobProfileId: string;
}

@Controller()
class EchoController {
  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
    private readonly inbox: Inbox,
  ) {}

  @Post('data-export/export')
  @HttpCode(204)
  @Permissions(routes.startExport)
  async start(@ScopeOf() scope: Scope, @Body() { fileDefinitionId }: Ask): Promise<void> {
    const payload = {
      tenantId: scope.tenantId,
      jobExecutionId: fileDefinitionId,
      jobVersion: 1,
      sliceNo: 1,
      exported: 2,
      failed: 0,
    };
    await withTenant(this.source, scope, (tx) => this.outbox.add(tx, SliceFinished, payload));
  }

  @Handles(SliceFinished)
  async finished(slice: SliceFinishedPayload, delivery: Delivery): Promise<void> {
    await withTenant(this.source, delivery.scope, async (tx) => {
      if (!(await this.inbox.first(tx, 'echo', delivery.id))) return;
      await tx.execute('insert into echo values ($1, $2)', [tx.tenantId, slice.jobExecutionId]);
    });
  }
}

@Injectable()
class Seed implements TenantSeed {
  async seed(tx: TenantTx, request: SeedRequest): Promise<void> {
    await tx.execute('insert into echo values ($1, gen_random_uuid())', [tx.tenantId]);
    if (request.loadSample) throw new Error('no sample');
  }
}

@Module({
  controllers: [EchoController],
  providers: [{ provide: TENANT_SEED, useClass: Seed }],
})
class EchoModule {}

class Echo1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const tables = [
      'create table echo (tenant_id text not null, id uuid not null, primary key (tenant_id, id))',
    ];
    for (const sql of [...houseTables('data_export'), ...tables, ...protect('data_export', 'echo')])
      await runner.query(sql);
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}

const echo: ServiceDefinition = {
  name: 'data-export',
  schema: {
    service: 'data-export',
    schema: 'data_export',
    migrations: [Echo1764000000000, ...houseMigrations('data_export')],
  },
  module: EchoModule,
};

describe('a started service', () => {
  const scope = { tenantId: 'library', actorId: '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10' };
  let database: TestDatabase;
  let world: Isolated;

  beforeAll(async () => {
    database = await testDatabase();
    world = await startIsolated([echo], {
      databaseUrl: database.url,
      outbox: { outboxLongRows: 2, outboxLookMs: 10 },
    });
  });

  afterAll(async () => {
    await world.stop();
    await database.close();
  });

  const count = async (): Promise<number> => {
    const source = world.sources.get('data-export');
    if (!source) throw new Error('no source');
    return (
      await readTenant(source, scope, (tx) =>
        tx.query('select from echo where tenant_id = $1', [tx.tenantId]),
      )
    ).length;
  };

  const sendOne = async (): Promise<void> => {
    const answer = await world.client.call({
      to: 'data-export',
      method: 'POST',
      target: '/data-export/export',
      scope,
      claims: { permissions: ['data-export.export.post'] },
      body: { fileDefinitionId: scope.actorId, jobProfileId: scope.actorId },
    });
    answer.body.resume();
    expect(answer.status).toBe(204);
  };

  it('does its scheduled work for each tenant, whatever becomes of the others', async () => {
    const tenants = world.services.get('data-export')?.app.get(Tenants);
    if (!tenants) throw new Error('no service');
    const request = { loadReference: false, loadSample: false };
    for (const tenantId of ['alma', 'berta', 'clara'])
      await tenants.enable({ ...scope, tenantId }, request);
    const done: string[] = [];
    const turn = tenants.each(({ tenantId }) => {
      if (tenantId === 'berta') return Promise.reject(new Error('disk full'));
      done.push(tenantId);
      return Promise.resolve();
    });
    await expect(turn).rejects.toMatchObject({
      message: 'failed for berta',
      errors: [expect.objectContaining({ message: 'disk full' })],
    });
    expect(done).toEqual(['alma', 'clara']);
    for (const tenantId of ['alma', 'berta', 'clara'])
      await tenants.disable({ ...scope, tenantId });
  });

  it('counts dead letters of every reason from 0, so that the first of them is an increase', async () => {
    const text = (await world.services.get('data-export')?.app.get(Metrics).text()) ?? '';
    const series = text.matchAll(/^quire_dead_letters_total\{([^}]*)\} (\d+)$/gm);
    expect([...series].map(([, labels, value]) => [labels, value])).toEqual(
      GIVEN_UP_REASONS.map((reason) => [`service="data-export",reason="${reason}"`, '0']),
    );
  });

  it('learns of a tenant and seeds it', async () => {
    await world.enable('library');
    expect(await world.services.get('data-export')?.app.get(Tenants).list()).toEqual(['library']);
    expect(await count()).toBe(1);
  });

  it('takes a request, sends the event of its transaction and handles it once', async () => {
    const before = await count();
    await sendOne();
    await world.settled();
    expect(await count()).toBe(before + 1);
  });

  it('describes its API from controllers, contract classes and routes', async () => {
    const document = await world.client.json<{
      openapi: string;
      paths: Record<string, { post: object }>;
    }>({
      to: 'data-export',
      method: 'GET',
      target: '/internal/openapi.json',
      scope,
    });
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(['/data-export/export']);
    expect(document.paths['/data-export/export']?.post).toMatchObject({
      description: 'Requires permission: data-export.export.post',
      requestBody: {
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Ask' } } },
      },
    });
  });

  it('is ready while its database answers', async () => {
    expect(await world.services.get('data-export')?.health.ready()).toEqual({
      status: 'UP',
      checks: { postgres: 'UP', outbox: 'UP' },
    });
  });

  it('is degraded while too many events wait, tells how many, and is well again when they have left', async () => {
    const service = world.services.get('data-export');
    const metrics = service?.app.get(Metrics);
    const waiting = async (): Promise<number> =>
      Number(/quire_outbox_rows\{[^}]*\} (\d+)/.exec((await metrics?.text()) ?? '')?.[1]);
    const { bus } = world;
    const publish = bus.publish.bind(bus);
    bus.publish = () => Promise.resolve({ outcome: 'postponed' });
    for (let n = 0; n < 3; n += 1) await sendOne();
    await until(async () => (await waiting()) === 3);
    expect(await service?.health.ready()).toEqual({
      status: 'DEGRADED',
      checks: { postgres: 'UP', outbox: 'DOWN' },
    });
    bus.publish = publish;
    await world.settled();
    await until(async () => (await waiting()) === 0);
    expect(await service?.health.ready()).toMatchObject({ status: 'UP' });
  });

  it('tells its callers that it leaves, before it takes no more', async () => {
    const ask = async (): Promise<string | undefined> => {
      const target = '/internal/openapi.json';
      const call = { to: 'data-export', method: 'GET', target, scope } as const;
      const answer = await world.client.call(call);
      answer.body.resume();
      return answer.headers.connection;
    };
    expect(await ask()).toBe('keep-alive');
    world.services.get('data-export')?.health.stop();
    expect(await ask()).toBe('close');
  });
});

/** Polls as a probe does. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(10);
}
