import { DIALECTS, type Caller, type Dialect } from '@quire/contracts/scope';
import { readTenant } from '@quire/postgres/tenant';
import type { FastifyReply } from 'fastify';
import type { DataSource } from 'typeorm';

/**
 * The dialect of an answer: what the request says, else the tenant's setting, else `default`. The answer repeats it, and
 * caches are told that it matters.
 */
export async function answerDialect(
  source: DataSource,
  caller: Caller,
  reply: FastifyReply,
): Promise<Dialect> {
  const dialect = caller.dialect ?? (await settingOf(source, caller)) ?? 'default';
  void reply.header('x-quire-dialect', dialect).header('vary', 'X-Quire-Dialect');
  return dialect;
}

async function settingOf(source: DataSource, caller: Caller): Promise<Dialect | undefined> {
  const row = await readTenant(source, caller, (tx) =>
    tx.one<{ value: unknown }>(
      `select value from setting where tenant_id = $1 and key = 'exportDialect'`,
      [tx.tenantId],
    ),
  );
  return DIALECTS.find((dialect) => dialect === row?.value);
}
