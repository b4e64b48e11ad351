import { Injectable } from '@nestjs/common';
import type { Instance } from '@quire/contracts/instances';
import type { Paging } from '@quire/contracts/paging';
import type { Scope } from '@quire/contracts/scope';
import { readTenant, streamTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import type { IdSelection } from '../db/instance-ids.js';
import { InstanceReads, type InstanceReading } from '../db/instance-reads.js';
import { failures } from '../domain/failures.js';
import { instanceOf, marcOf } from '../domain/instance-shapes.js';
import { explainInstance } from '../pipeline/explain-instance.js';
import { InstanceProjector } from './instance-projector.js';

/** What the view says of instances, and why (source-record-storage, section 14). */
@Injectable()
export class InstancePreviews {
  constructor(
    private readonly source: DataSource,
    private readonly instances: InstanceReads,
    private readonly projector: InstanceProjector,
  ) {}

  /** @throws Failure 404; 503 when the view cannot be made current in time */
  async read(scope: Scope, id: string, explained: boolean): Promise<Instance> {
    await this.projector.current(scope);
    const row = await readTenant(this.source, scope, (tx) =>
      this.instances.byId(tx, id, explained),
    );
    if (!row) throw failures.instanceNotFound(id);
    return shown(row, explained);
  }

  /**
   * Rows as they are read; `total` is known when they have all come.
   *
   * @throws Failure 503 when the view cannot be made current in time
   */
  async list(
    scope: Scope,
    selection: IdSelection,
    paging: Paging,
    explained: boolean,
  ): Promise<{
    items: AsyncIterable<Instance>;
    total: (rows: number) => number | undefined;
  }> {
    await this.projector.current(scope);
    const page = this.instances.page(scope.tenantId, selection, paging, explained);
    const items = streamTenant<Instance>(this.source, scope, async function* (tx) {
      for await (const rows of page.batches(tx))
        for (const row of rows) yield shown(row, explained);
    });
    return { items, total: (rows) => page.total(rows) };
  }
}

function shown(row: InstanceReading, explained: boolean): Instance {
  const instance = instanceOf(row);
  if (!explained) return instance;
  const { content = null, form = null } = row;
  return { ...instance, explanation: explainInstance(instance, marcOf({ content, form })) };
}
