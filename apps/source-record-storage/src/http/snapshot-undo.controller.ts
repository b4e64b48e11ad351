import { Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse } from '@nestjs/swagger';
import { CallerOf, Permissions, ScopeOf } from '@quire/auth/permissions';
import { booleanParameter, type Query } from '@quire/contracts/paging';
import { DRY_RUN } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Caller, Scope } from '@quire/contracts/scope';
import { SnapshotUndoResult, SnapshotUndoTask } from '@quire/contracts/snapshot-undo';
import { located } from '@quire/service/answers';
import { PathId, Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { texts } from '../domain/failures.js';
import { SnapshotUndos } from '../usecases/snapshot-undos.js';
import { UndoTrials } from '../usecases/undo-trials.js';

const SNAPSHOT = { name: 'jobExecutionId', notFound: texts.snapshotNotFound };

/** Takes back what a job has saved (source-record-storage, 9.4). The task has the path of the request. */
@Controller('source-storage/snapshots/:jobExecutionId/undo')
export class SnapshotUndoController {
  constructor(
    private readonly undos: SnapshotUndos,
    private readonly trials: UndoTrials,
  ) {}

  @Post()
  @HttpCode(200)
  @Permissions(routes.undoSnapshot)
  @Queries(DRY_RUN)
  @ApiOkResponse({ type: SnapshotUndoResult })
  @ApiAcceptedResponse({ type: SnapshotUndoTask })
  async undo(
    @CallerOf() caller: Caller,
    @PathId(SNAPSHOT) id: string,
    @QueryOf() query: Query,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SnapshotUndoResult | SnapshotUndoTask> {
    if (booleanParameter(query, 'dryRun', false)) return this.trials.run(caller, id);
    const result = await this.undos.start(caller, id);
    if (result) return result;
    void reply.status(202);
    located(reply, caller, `/source-storage/snapshots/${id}/undo`);
    return this.undos.read(caller, id);
  }

  @Get()
  @Permissions(routes.readUndo)
  @ApiOkResponse({ type: SnapshotUndoTask })
  read(@ScopeOf() scope: Scope, @PathId(SNAPSHOT) id: string): Promise<SnapshotUndoTask> {
    return this.undos.read(scope, id);
  }
}
