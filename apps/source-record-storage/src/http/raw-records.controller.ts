import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import { Permissions, ScopeOf } from '@quire/auth/permissions';
import { routes } from '@quire/contracts/routes';
import type { Scope } from '@quire/contracts/scope';
import { PathId } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { failures, texts } from '../domain/failures.js';
import { RawBytes } from '../usecases/raw-bytes.js';

/** Original bytes (section 14). */
@Controller('source-storage/records/:id/raw')
export class RawRecordsController {
  constructor(private readonly raw: RawBytes) {}

  /** `ETag` is their SHA-256; who has them already is told so (304). */
  @Get()
  @Permissions(routes.readRawRecord)
  @ApiOkResponse({ content: { '*/*': { schema: { type: 'string', format: 'binary' } } } })
  async read(
    @ScopeOf() scope: Scope,
    @PathId({ name: 'id', notFound: texts.recordNotFound }) id: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const found = await this.raw.find(scope, id);
    if (!found) throw failures.recordNotFound(id);
    const etag = `"${found.sha256}"`;
    void reply.header('etag', etag);
    if (reply.request.headers['if-none-match'] === etag) await reply.code(304).send();
    else await reply.header('content-type', found.type).send(found.bytes);
  }
}
