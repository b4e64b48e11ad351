import { Injectable } from '@nestjs/common';
import { TenantSettings } from '@quire/service/tenant-settings';
import { EXPORT_TENANT_SETTINGS } from '../domain/tenant-settings.js';

/** `read(tx, 'folioHost')` gives the tenant's value or the default. */
@Injectable()
export class ExportTenantSettings extends TenantSettings<typeof EXPORT_TENANT_SETTINGS> {
  constructor() {
    super(EXPORT_TENANT_SETTINGS);
  }
}
