import {
  Injectable,
  RequestMethod,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import {
  INTERCEPTORS_METADATA,
  METHOD_METADATA,
  MODULE_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { MetadataScanner } from '@nestjs/core';
import { brokenRule, conflict, invalid, refused } from '@quire/contracts/failure';
import { SYSTEM_USER_ID, type Scope } from '@quire/contracts/scope';
import {
  asOneTransaction,
  readTenant,
  type TenantRead,
  type TenantTx,
} from '@quire/postgres/tenant';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { defer, lastValueFrom, type Observable } from 'rxjs';
import { DataSource } from 'typeorm';
import { sha256 } from './bodies.js';

/**
 * `Idempotency-Key` (conventions, section 8): who repeats a POST under the same key within 24 hours gets the answer of the first
 * time and starts nothing. The answer is kept in the transaction of the effect, so a service that is killed in between
 * has either both or neither (F6). What was refused had no effect and is judged anew.
 *
 * For every POST with a JSON body, or none, whose handler returns its answer; uploads and streamed answers ignore the header.
 */
const HEADER = 'idempotency-key';
const KEY_CHARACTERS_MAX = 255;
const KEPT = `interval '24 hours'`;
/** Headers of ours that belong to an answer; all others belong to the connection or are set again. */
const KEPT_HEADERS = ['content-type', 'location', 'etag', 'x-job-execution-id'] as const;

/** Of the calls that need no body, as the one that resumes a job. */
const NO_BODY = sha256(Buffer.alloc(0));

interface KeyedRequest {
  readonly scope: Scope;
  readonly path: string;
  readonly key: string;
  readonly bodySha256: Buffer;
}

interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: no body. */
  readonly body: string | null;
}

/**
 * Puts the interceptor around the handlers of POST of a service's module, before its application is made. Around all handlers it
 * would cost a short read a tenth of its time: Nest's way through an interceptor is long even where it has nothing to do.
 */
export function keepAnswersOfPosts(module: Type): void {
  const controllers = (Reflect.getMetadata(MODULE_METADATA.CONTROLLERS, module) ?? []) as Type[];
  const methods = new MetadataScanner();
  for (const { prototype } of controllers as { prototype: Record<string, object> }[]) {
    for (const name of methods.getAllMethodNames(prototype)) {
      const handler = prototype[name];
      if (!handler || Reflect.getMetadata(METHOD_METADATA, handler) !== RequestMethod.POST)
        continue;
      Reflect.defineMetadata(INTERCEPTORS_METADATA, [IdempotencyInterceptor], handler);
    }
  }
}

@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly source: DataSource) {}

  /** @throws Failure 400 for a key that is none, 409 while the first request runs, 422 for another body */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.getType() === 'http' ? keyedRequest(context) : undefined;
    if (!request) return next.handle();
    return defer(() => this.once(request, context.switchToHttp().getResponse(), next));
  }

  private async once(
    request: KeyedRequest,
    reply: FastifyReply,
    next: CallHandler,
  ): Promise<unknown> {
    const { source } = this;
    const kept = await readTenant(source, request.scope, (tx) => keptAnswer(tx, request));
    if (kept) return repeated(kept, reply);
    const work = (): Promise<unknown> => lastValueFrom(next.handle(), { defaultValue: undefined });
    return asOneTransaction(source, request.scope, work, {
      begin: (tx) => hold(tx, request),
      finish: (tx, result) => keep(tx, request, answerOf(reply, result)),
    });
  }
}

function keyedRequest(context: ExecutionContext): KeyedRequest | undefined {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const { method, caller, headers, raw } = request;
  const key = headers[HEADER];
  if (method !== 'POST' || typeof key !== 'string') return undefined;
  const bodySha256 = request.body === undefined ? NO_BODY : request.bodySha256;
  if (!bodySha256) return undefined;
  // Nobody to keep an answer for: log-in calls, and calls between services in nobody's name.
  if (!caller?.tenantId || !caller.actorId || caller.actorId === SYSTEM_USER_ID) return undefined;
  if (writesItself(context)) return undefined;
  if (!/^[\x21-\x7e]+$/.test(key) || key.length > KEY_CHARACTERS_MAX) {
    throw refused(
      `Idempotency-Key must be 1 to ${KEY_CHARACTERS_MAX} printable characters without spaces`,
      'idempotency-key',
    );
  }
  const { tenantId, actorId } = caller;
  return { scope: { tenantId, actorId }, path: raw.url ?? '', key, bodySha256 };
}

/** The handler sends its answer by itself, as a stream: Nest sees none to keep. */
function writesItself(context: ExecutionContext): boolean {
  const controller = context.getClass();
  const name = context.getHandler().name;
  const parameters = Object.keys(
    (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) as object | undefined) ?? {},
  );
  return (
    parameters.some((parameter) => parameter.startsWith(`${RouteParamtypes.RESPONSE}:`)) &&
    Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, name) !== true
  );
}

async function keptAnswer(
  tx: TenantRead,
  { scope, path, key, bodySha256 }: KeyedRequest,
): Promise<KeptAnswer | undefined> {
  const row = await tx.one<{ body_sha256: Buffer; answer: KeptAnswer }>(
    `select body_sha256, answer from idempotency
     where tenant_id = $1 and user_id = $2 and method = 'POST' and path = $3 and key = $4 and at > now() - ${KEPT}`,
    [tx.tenantId, scope.actorId, path, key],
  );
  if (!row) return undefined;
  if (!row.body_sha256.equals(bodySha256)) {
    throw invalid(
      brokenRule(
        'Idempotency-Key was used with another body',
        'idempotency.key.reused',
        'Idempotency-Key',
        key,
      ),
    );
  }
  return row.answer;
}

/** Of two requests under one key at the same time one goes on; seen from here the other has not ended. */
async function hold(tx: TenantTx, request: KeyedRequest): Promise<void> {
  const { scope, path, key } = request;
  const held = await tx.one<{ held: boolean }>(
    'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as held',
    [JSON.stringify([tx.tenantId, scope.actorId, path, key])],
  );
  const running = !held?.held || (await keptAnswer(tx, request)) !== undefined;
  if (running) throw conflict('A request with this Idempotency-Key is still running');
}

async function keep(tx: TenantTx, request: KeyedRequest, answer: KeptAnswer): Promise<void> {
  const { scope, path, key, bodySha256 } = request;
  await tx.execute(
    `insert into idempotency (tenant_id, user_id, method, path, key, body_sha256, status, answer)
     values ($1, $2, 'POST', $3, $4, $5, $6, $7)
     on conflict (tenant_id, user_id, method, path, key) do update
       set body_sha256 = excluded.body_sha256, status = excluded.status, answer = excluded.answer, at = now()`,
    [tx.tenantId, scope.actorId, path, key, bodySha256, answer.status, JSON.stringify(answer)],
  );
}

function answerOf(reply: FastifyReply, result: unknown): KeptAnswer {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = reply.getHeader(name);
    if (value !== undefined) headers[name] = String(value);
  }
  if (result === undefined || result === null)
    return { status: reply.statusCode, headers, body: null };
  if (typeof result === 'string') return { status: reply.statusCode, headers, body: result };
  headers['content-type'] ??= 'application/json; charset=utf-8';
  return { status: reply.statusCode, headers, body: JSON.stringify(result) };
}

function repeated({ status, headers, body }: KeptAnswer, reply: FastifyReply): string | undefined {
  void reply.code(status).headers({ ...headers, 'idempotent-replayed': 'true' });
  return body ?? undefined;
}

/** Deletes the answers of a tenant that are no longer repeated. */
export async function forgetAnswers(tx: TenantTx): Promise<void> {
  await tx.execute(`delete from idempotency where tenant_id = $1 and at <= now() - ${KEPT}`, [
    tx.tenantId,
  ]);
}
