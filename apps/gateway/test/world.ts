import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Module, Post, Req, Res } from '@nestjs/common';
import { CallerOf, Permissions, Public } from '@quire/auth/permissions';
import { Uuid } from '@quire/contracts/fields';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { houseMigrations } from '@quire/postgres/house-migrations';
import { houseTables } from '@quire/postgres/house-tables';
import type { ServiceDefinition } from '@quire/service/boot';
import { startIsolated, type Isolated } from '@quire/service/isolated';
import type { Clock } from '@quire/contracts/clock';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { GatewaySettings } from '../src/config.js';
import { bootstrapTenants, gateway } from '../src/service.js';

/** The gateway before a small service that stands for data-export, on a database of its own. */
export const PASSWORD = 'correct horse';

class Ask {
  @Uuid() readonly fileDefinitionId: string;
  @Uuid() readonly jobProfileId: string;
}

/** What the stand-in saw, so that a spec can look behind the door. */
export const seen = { aborted: 0, downloadsCut: 0, uploadsBegun: 0, uploadedBytes: 0 };

@Controller('data-export')
class StandIn {
  @Get('job-executions/:id')
  @Permissions(routes.readExportJob)
  read(@CallerOf() caller: Caller, @Req() request: FastifyRequest): object {
    return { caller, headers: request.headers, url: request.raw.url };
  }

  @Get('job-executions')
  @Permissions(routes.listExportJobs)
  list(): object {
    return {
      jobExecutions: Array.from({ length: 500 }, (_, index) => ({ id: index })),
      totalRecords: 500,
    };
  }

  @Post('export')
  @HttpCode(204)
  @Permissions(routes.startExport)
  start(@Body() _request: Ask): void {
    return;
  }

  @Post('job-profiles')
  @HttpCode(201)
  @Permissions(routes.createExportJobProfile)
  createProfile(@CallerOf() caller: Caller): object {
    return { caller };
  }

  @Post('file-definitions/:id/upload')
  @HttpCode(200)
  @Permissions(routes.uploadIds)
  async upload(@Req() request: FastifyRequest): Promise<object> {
    let bytes = 0;
    seen.uploadsBegun += 1;
    try {
      for await (const chunk of request.body as Readable) bytes += (chunk as Buffer).length;
    } catch (error) {
      seen.aborted += 1;
      throw error;
    } finally {
      seen.uploadedBytes = bytes;
    }
    return { bytes };
  }

  /** Sends as many bytes as `bytes` says; cuts the connection after `cut`. */
  @Get('files/:fileId')
  @Public(routes.exportedFile)
  file(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    const { bytes = '0', cut } = request.query as Record<string, string>;
    const body = Readable.from(filled(Number(bytes), cut === undefined ? undefined : Number(cut)));
    body.on('close', () => {
      if (!body.readableEnded) seen.downloadsCut += 1;
    });
    void reply
      .header('content-type', 'application/marc')
      .header('content-length', bytes)
      .send(body);
  }
}

const CHUNK = Buffer.alloc(65_536, 'x');

function* filled(bytes: number, cut?: number): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += CHUNK.length) {
    if (cut !== undefined && sent >= cut) throw new Error('the store went away');
    yield CHUNK.subarray(0, Math.min(CHUNK.length, bytes - sent));
  }
}

@Module({ controllers: [StandIn] })
class StandInModule {}

class Tables1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const sql of houseTables('data_export')) await runner.query(sql);
  }

  down(): Promise<void> {
    return Promise.resolve();
  }
}

export const standIn: ServiceDefinition = {
  name: 'data-export',
  schema: {
    service: 'data-export',
    schema: 'data_export',
    migrations: [Tables1764000000000, ...houseMigrations('data_export')],
  },
  module: StandInModule,
};

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Ask_ {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer | Readable;
}

export interface MovableClock extends Clock {
  advance(ms: number): void;
}

export interface Database {
  readonly url: string;
  close(): Promise<void>;
}

export class World {
  private constructor(
    readonly isolated: Isolated,
    readonly clock: MovableClock,
    private readonly closeDatabase: () => Promise<void>,
  ) {}

  /** Database and clock come from libs/testing, which only specs may use. */
  static async start(
    database: Database,
    clock: MovableClock,
    settings: Partial<GatewaySettings> = {},
    near = false,
  ): Promise<World> {
    const isolated = await startIsolated([standIn, gateway], {
      databaseUrl: database.url,
      clock,
      near,
      settings: { gateway: { ...new GatewaySettings(), ...settings } },
    });
    const world = new World(isolated, clock, () => database.close());
    await bootstrapTenants(world.running('gateway').app, {
      tenant: 'library',
      username: 'admin',
      password: PASSWORD,
      loadSample: false,
    });
    return world;
  }

  running(name: 'gateway' | 'data-export') {
    const service = this.isolated.services.get(name);
    if (!service) throw new Error(`${name} does not run.`);
    return service;
  }

  get url(): string {
    return this.running('gateway').publicUrl ?? '';
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async stop(): Promise<void> {
    await this.isolated.stop();
    await this.closeDatabase();
  }

  /** One request on a connection of its own. `target` goes out as it is. */
  ask(target: string, { method = 'GET', headers = {}, body }: Ask_ = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        host: '127.0.0.1',
        port: this.port,
        path: target,
        method,
        headers,
        agent: false,
      });
      request.on('error', reject);
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      });
      if (body instanceof Readable) body.pipe(request);
      else request.end(body);
    });
  }

  /** Sends exactly this, returns everything that comes back until the other side ends the connection. */
  async raw(text: string): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(text, 'latin1');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }

  async login(tenant = 'library', username = 'admin'): Promise<string> {
    const answer = await this.ask('/authn/login', {
      method: 'POST',
      headers: { 'x-okapi-tenant': tenant, 'content-type': 'application/json' },
      body: JSON.stringify({ username, password: PASSWORD }),
    });
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
    return (JSON.parse(answer.text) as { okapiToken: string }).okapiToken;
  }
}
