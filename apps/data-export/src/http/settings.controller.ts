import { routes } from '@quire/contracts/routes';
import { settingsController } from '@quire/service/tenant-settings';
import { ExportTenantSettings } from '../db/tenant-settings.js';

/** Tenant settings (`data-export.md`, appendix D). */
export const SettingsController = settingsController({
  base: 'data-export',
  routes: { read: routes.exportSettings, change: routes.changeExportSetting },
  settings: ExportTenantSettings,
});
