import { Controller, Get, Param, Res } from '@nestjs/common';
import { CallerOf, Permissions } from '@quire/auth/permissions';
import { isUuid } from '@quire/contracts/ids';
import { badParameter, booleanParameter, enumParameter, type Query } from '@quire/contracts/paging';
import { aFlag, oneOf } from '@quire/contracts/query-parameters';
import { routes } from '@quire/contracts/routes';
import type { Caller } from '@quire/contracts/scope';
import { attachment } from '@quire/service/files';
import { Queries, QueryOf } from '@quire/service/queries';
import type { FastifyReply } from 'fastify';
import { failures } from '../domain/failures.js';
import { RecordDownloads } from '../usecases/record-downloads.js';

const ID_TYPES = ['INSTANCE', 'AUTHORITY'] as const;
const KIND = { INSTANCE: 'instance', AUTHORITY: 'authority' } as const;

const PARAMETERS = [
  oneOf('idType', ID_TYPES, { required: true }),
  aFlag('utf', { default: true, description: 'UTF-8; else MARC-8.' }),
  aFlag('suppress999ff', { default: false, description: 'Without the fields 999 ff.' }),
];

@Controller('data-export/download-record')
export class RecordDownloadsController {
  constructor(private readonly downloads: RecordDownloads) {}

  @Get(':recordId')
  @Permissions(routes.downloadRecord)
  @Queries(...PARAMETERS)
  async download(
    @CallerOf() caller: Caller,
    @Param('recordId') recordId: string,
    @QueryOf() query: Query,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const idType = KIND[idTypeParameter(query)];
    const utf = booleanParameter(query, 'utf', true);
    const suppress999ff = booleanParameter(query, 'suppress999ff', false);
    if (!isUuid(recordId)) throw failures.recordNotFound(idType, recordId);
    const id = recordId.toLowerCase();
    const encoding = utf ? 'UTF-8' : 'MARC-8';
    const bytes = await this.downloads.read(caller, {
      ...{ recordId: id, idType, encoding, suppress999ff },
    });
    const name = `${id}-${utf ? 'utf' : 'marc8'}.mrc`;
    void reply.type('application/octet-stream').header('content-disposition', attachment(name));
    return bytes;
  }
}

function idTypeParameter(query: Query): (typeof ID_TYPES)[number] {
  const idType = enumParameter(query, 'idType', ID_TYPES);
  if (!idType) throw badParameter('idType', null, `must match "${ID_TYPES.join('|')}"`);
  return idType;
}
