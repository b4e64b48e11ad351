import { Controller, HttpCode, Post, Res } from '@nestjs/common';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import type { QuickExportStarted } from '@quire/contracts/data-export';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { located } from '@quire/service/answers';
import { PathId } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { failures } from '../domain/failures.js';
import { jobAnswer } from '../domain/job-answer.js';
import { JobActions } from '../usecases/job-actions.js';
import { answerDialect } from './dialects.js';

const ID = { name: 'id', notFound: () => failures.jobExecutionNotFound().message };

@Controller('data-export/job-executions')
export class JobActionsController {
  constructor(
    private readonly source: DataSource,
    private readonly actions: JobActions,
  ) {}

  @Post(':id/cancel')
  @HttpCode(202)
  @Permissions(routes.cancelExport)
  async cancel(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const dialect = await answerDialect(this.source, caller, reply);
    return jobAnswer(await this.actions.cancel(caller, id), dialect);
  }

  @Post(':id/resume')
  @HttpCode(201)
  @Permissions(routes.resumeExport)
  async resume(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QuickExportStarted> {
    return started(reply, caller, await this.actions.resume(caller, id));
  }

  @Post(':id/retry-failed')
  @HttpCode(201)
  @Permissions(routes.retryFailedLines)
  async retryFailed(
    @CallerOf() caller: Caller,
    @PathId(ID) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QuickExportStarted> {
    return started(reply, caller, await this.actions.retryFailed(caller, id));
  }
}

function started(reply: FastifyReply, caller: Caller, job: QuickExportStarted): QuickExportStarted {
  located(reply, caller, `/data-export/job-executions/${job.jobExecutionId}`);
  return job;
}
