import { Injectable } from '@nestjs/common';
import { TenantSettings } from '@quire/service/tenant-settings';
import { IMPORT_TENANT_SETTINGS } from '../domain/tenant-settings.js';

/** `read(tx, 'DUPLICATE_FILE')` gives the tenant's value or the default. */
@Injectable()
export class ImportTenantSettings extends TenantSettings<typeof IMPORT_TENANT_SETTINGS> {
  constructor() {
    super(IMPORT_TENANT_SETTINGS);
  }
}
