import { Inject, Injectable } from '@nestjs/common';
import type { FileDefinition } from '@quire/contracts/data-export';
import type { Caller } from '@quire/contracts/scope';
import { withTenant } from '@quire/postgres/tenant';
import { SETTINGS } from '@quire/service/platform.module';
import { DataSource } from 'typeorm';
import { exportSettings } from '../config.js';
import { NO_LINES, type FileDefinitionRecord } from '../db/file-definitions.js';
import { newStamps } from '../db/stamps.js';
import { Stores } from '../db/stores.js';
import { failures } from '../domain/failures.js';
import {
  baseOf,
  cutName,
  displayName,
  extensionOf,
  withCsvExtension,
} from '../domain/file-name.js';
import { Fresh } from './fresh.js';

/** Announcing a file before its bytes come. */
@Injectable()
export class NewFileDefinitions {
  private readonly kilobytesMax: number;

  constructor(
    private readonly source: DataSource,
    private readonly stores: Stores,
    private readonly fresh: Fresh,
    @Inject(SETTINGS) settings: object,
  ) {
    this.kilobytesMax = exportSettings(settings).uploadKilobytesMax;
  }

  /** The id of its job is reserved here; the job exists from the upload on. */
  async create(caller: Caller, request: FileDefinition): Promise<FileDefinitionRecord> {
    const { size, idType } = request;
    const sent = cutName(displayName(request.fileName));
    const extension = extensionOf(sent);
    if (extension !== 'csv' && extension !== 'cql') throw failures.notCsv();
    if (size !== undefined && size > this.kilobytesMax)
      throw failures.fileTooLarge(size, this.kilobytesMax);
    const uploadFormat = request.uploadFormat ?? extension;
    if (idType === 'holding' && uploadFormat === 'cql') throw failures.holdingsOnlyCsv();
    const fileName = uploadFormat === 'cql' ? withCsvExtension(sent) : sent;
    const made = {
      id: request.id ?? this.fresh.id(),
      fileName,
      ...(size === undefined ? {} : { sizeKilobytes: size }),
      uploadFormat,
      ...(idType === undefined ? {} : { idType }),
      status: 'NEW',
      jobId: this.fresh.id(),
      baseName: baseOf(sent),
      lines: NO_LINES,
      stamps: newStamps(caller, this.fresh.now()),
    } as const;
    const added = await withTenant(this.source, caller, (tx) =>
      this.stores.definitions.insert(tx, made),
    );
    if (!added) throw failures.taken('id', 'file_definitions', made.id);
    return { ...made, leaseOver: true };
  }
}
