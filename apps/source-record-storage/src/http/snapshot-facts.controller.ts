import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { SnapshotStats, SnapshotStatusChange } from '@quire/contracts/snapshots';
import { readTenant, type TenantRead } from '@quire/postgres/tenant';
import { PathId } from '@quire/service/queries';
import { DataSource } from 'typeorm';
import { SnapshotFacts } from '../db/snapshot-facts.js';
import { Snapshots } from '../db/snapshots.js';
import { failures, texts } from '../domain/failures.js';
import { statusChangeOf } from '../domain/snapshot-shapes.js';

const PATH_ID = { name: 'jobExecutionId', notFound: texts.snapshotNotFound };

/** What a snapshot consists of, and what its status was when (source-record-storage, section 14). */
@Controller('source-storage/snapshots/:jobExecutionId')
export class SnapshotFactsController {
  constructor(
    private readonly source: DataSource,
    private readonly snapshots: Snapshots,
    private readonly facts: SnapshotFacts,
  ) {}

  @Get('stats')
  @Permissions(routes.snapshotStats)
  @ApiOkResponse({ type: SnapshotStats })
  stats(@ScopeOf() scope: Scope, @PathId(PATH_ID) id: string): Promise<SnapshotStats | undefined> {
    return this.of(scope, id, async (tx) => (await this.facts.stats(tx, [id]))[0]);
  }

  @Get('history')
  @Permissions(routes.snapshotHistory)
  @ApiOkResponse({ type: [SnapshotStatusChange] })
  history(
    @ScopeOf() scope: Scope,
    @PathId(PATH_ID) id: string,
  ): Promise<readonly SnapshotStatusChange[]> {
    return this.of(scope, id, async (tx) =>
      (await this.facts.statusChanges(tx, id)).map(statusChangeOf),
    );
  }

  /** @throws Failure 404 */
  private of<T>(scope: Scope, id: string, read: (tx: TenantRead) => Promise<T>): Promise<T> {
    return readTenant(this.source, scope, async (tx) => {
      if (!(await this.snapshots.find(tx, id))) throw failures.snapshotNotFound(id);
      return read(tx);
    });
  }
}
