import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { Snapshot } from '@quire/contracts/source-records';
import { readTenant } from '@quire/postgres/tenant';
import { PathId } from '@quire/service/queries';
import { DataSource } from 'typeorm';
import { Snapshots } from '../db/snapshots.js';
import { failures, texts } from '../domain/failures.js';
import { snapshotOf } from '../domain/record-shapes.js';

@Controller('source-storage/snapshots')
export class SnapshotsController {
  constructor(
    private readonly source: DataSource,
    private readonly snapshots: Snapshots,
  ) {}

  @Get(':jobExecutionId')
  @Permissions(routes.readSnapshot)
  @ApiOkResponse({ type: Snapshot })
  async read(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'jobExecutionId', notFound: texts.snapshotNotFound }) id: string,
  ): Promise<Snapshot> {
    const row = await readTenant(this.source, scope, (tx) => this.snapshots.find(tx, id));
    if (!row) throw failures.snapshotNotFound(id);
    return snapshotOf(row);
  }
}
