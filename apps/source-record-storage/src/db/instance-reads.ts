import { Injectable } from '@nestjs/common';
import type { Paging } from '@quire/contracts/paging';
import { Page } from '@quire/postgres/pages';
import type { TenantRead } from '@quire/postgres/tenant';
import type { ContentColumns, InstanceColumns } from '../domain/instance-shapes.js';
import { INSTANCE } from './instance-entity.js';
import type { IdSelection } from './instance-ids.js';

/** A row of the instance view, and the record behind it where it is asked for. */
export type InstanceReading = InstanceColumns & Partial<ContentColumns>;

const COLUMNS = `i.id, i.hrid, i.matched_id, i.snapshot_id, i.title, i.index_title, i.data, i.discovery_suppress,
  i.staff_suppress, i.deleted, i.duplicates, i.created_at, i.created_by, i.updated_at, i.updated_by`;
const columnOf = (name: string): string =>
  `(select ${name} from record_content where tenant_id = $1 and record_id = i.record_id)`;
const WITH_CONTENT = `${COLUMNS}, ${columnOf('content')} as content, ${columnOf('form')} as form`;

/** The reading side of the instance view (source-record-storage, section 14). */
@Injectable()
export class InstanceReads {
  byId(tx: TenantRead, id: string, withContent: boolean): Promise<InstanceReading | undefined> {
    const columns = withContent ? WITH_CONTENT : COLUMNS;
    return tx.one<InstanceReading>(
      `select ${columns} from instance_row i where i.tenant_id = $1 and i.id = $2`,
      [tx.tenantId, id],
    );
  }

  /** @param selection of instances */
  page(
    tenantId: string,
    { where, orderBy, params }: IdSelection,
    paging: Paging,
    withContent: boolean,
  ): Page<InstanceReading> {
    const listing = {
      collection: 'instances',
      table: 'instance_row',
      alias: 'i',
      columns: withContent ? WITH_CONTENT : COLUMNS,
      entity: INSTANCE,
      defaultOrder: 'i.id',
    };
    const list = {
      listing,
      where,
      orderBy,
      params: [tenantId, ...params.slice(1)],
      filtered: true,
    };
    return new Page<InstanceReading>(list, paging);
  }
}
