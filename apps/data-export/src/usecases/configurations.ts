import { Injectable } from '@nestjs/common';
import type { ExportConfiguration } from '@quire/contracts/export-reports';
import type { Scope } from '@quire/contracts/scope';
import { withTenant } from '@quire/postgres/tenant';
import { DataSource } from 'typeorm';
import { ExportTenantSettings } from '../db/tenant-settings.js';
import { SLICE_SIZE, sliceSizeOf } from '../domain/slice-size.js';

/** The configuration of older clients (`data-export.md`, 2.2, 24). Of its keys only the slice size is known here. */
@Injectable()
export class Configurations {
  constructor(
    private readonly source: DataSource,
    private readonly settings: ExportTenantSettings,
  ) {}

  /** @throws Failure 400 for a slice size that is none */
  async keep(scope: Scope, { key, value }: ExportConfiguration): Promise<void> {
    if (key !== SLICE_SIZE) return;
    const size = sliceSizeOf(value);
    await withTenant(this.source, scope, (tx) => this.settings.change(tx, 'sliceSize', size));
  }
}
