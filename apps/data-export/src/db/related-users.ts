import { Injectable } from '@nestjs/common';
import type { RelatedUser } from '@quire/contracts/export-reports';
import type { Paging } from '@quire/contracts/paging';
import type { TenantRead } from '@quire/postgres/tenant';

interface UserRow {
  readonly id: string;
  readonly first_name: string | null;
  readonly last_name: string | null;
}

const RUNNERS = `select distinct on (run_by) run_by as id, run_by_first_name as first_name, run_by_last_name as last_name
  from job_execution where tenant_id = $1 and run_by is not null order by run_by, started_at desc`;

/** Who ran exports, each under the name of the latest one. */
@Injectable()
export class ExportUsers {
  async page(tx: TenantRead, { limit, offset }: Paging): Promise<RelatedUser[]> {
    const rows = await tx.query<UserRow & Record<string, unknown>>(
      `select * from (${RUNNERS}) as runner order by last_name, first_name, id limit $2 offset $3`,
      [tx.tenantId, limit, offset],
    );
    return rows.map(({ id, first_name: first, last_name: last }) => ({
      userId: id,
      ...(first === null ? {} : { firstName: first }),
      ...(last === null ? {} : { lastName: last }),
    }));
  }

  async count(tx: TenantRead): Promise<number> {
    const row = await tx.one<{ n: number }>(
      'select count(distinct run_by)::int as n from job_execution where tenant_id = $1',
      [tx.tenantId],
    );
    return row?.n ?? 0;
  }
}
