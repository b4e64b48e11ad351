import { Readable } from 'node:stream';
import { Controller, Get, Req, Res } from '@nestjs/common';
import { Public } from '@quire/auth/permissions';
import { single, type Query } from '@quire/contracts/paging';
import { routes } from '@quire/contracts/routes';
import { PathId, QueryOf } from '@quire/service/queries';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { rangeOf } from '../domain/byte-range.js';
import { failures } from '../domain/failures.js';
import { attachment } from '../domain/file-name.js';
import { Downloads, type ExportedBytes } from '../usecases/downloads.js';

/** The bytes of an output, for whoever holds a link (`data-export.md`, 7.4). GET and HEAD, whole or one range. */
@Controller('data-export/files')
export class FilesController {
  constructor(private readonly downloads: Downloads) {}

  @Get(':fileId')
  @Public(routes.exportedFile)
  async read(
    @PathId({ name: 'fileId', notFound: (id) => failures.exportFileNotFound(id).message })
    fileId: string,
    @QueryOf() query: Query,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const file = await this.downloads.follow(single(query, 't') ?? '', fileId);
    const { size, etag } = file;
    describe(reply, file);
    const asked = rangeOf(rangeHeader(request, etag), size);
    if (asked.kind === 'unsatisfiable') {
      void reply.code(416).header('content-range', `bytes */${size}`).type('text/plain');
      await reply.send('Range is not satisfiable');
      return;
    }
    const { start, end } = asked.kind === 'part' ? asked : { start: 0, end: size };
    if (asked.kind === 'part')
      void reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${size}`);
    // Fastify answers HEAD by this GET and drops the bytes: none are fetched for it.
    const bytes = request.method === 'HEAD' ? Readable.from([]) : await file.open(start, end);
    void reply.header('content-length', end - start);
    await reply.send(bytes);
  }
}

function describe(reply: FastifyReply, { fileName, etag }: ExportedBytes): void {
  void reply.headers({
    'content-type': 'application/marc',
    'content-disposition': attachment(fileName),
    'accept-ranges': 'bytes',
    etag,
    'access-control-allow-origin': '*',
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-store',
    'referrer-policy': 'no-referrer',
  });
}

/** A range of another state of the file is none (`If-Range`, RFC 9110 13.1.5). */
function rangeHeader({ headers }: FastifyRequest, etag: string): string | undefined {
  const condition = headers['if-range'];
  return condition === undefined || condition === etag ? headers.range : undefined;
}
