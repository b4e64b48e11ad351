import Fastify from 'fastify';
import { Pool } from 'pg';

/*
 * The yardstick of reads by id: one route of Fastify, one statement, nothing of ours. It prints its address.
 */
const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 10 });
const app = Fastify();

app.get<{ Params: { id: string } }>('/:id', async ({ params }, reply) => {
  const { rows } = await pool.query<object>({
    name: 'one',
    text: `select id, version as _version, budget_id as "budgetId", group_id as "groupId", fiscal_year_id as "fiscalYearId",
             fund_id as "fundId" from finance_storage.group_fund_fiscal_year where tenant_id = 'library' and id = $1`,
    values: [params.id],
  });
  return rows[0] ?? reply.code(404).send();
});

process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
