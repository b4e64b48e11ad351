import { routes } from '@quire/contracts/routes';
import { settingsController } from '@quire/service/tenant-settings';
import { ImportTenantSettings } from '../db/tenant-settings.js';

/** Tenant settings (data-import, section 15). */
export const SettingsController = settingsController({
  base: 'data-import',
  routes: { read: routes.importSettings, change: routes.changeImportSetting },
  settings: ImportTenantSettings,
});
