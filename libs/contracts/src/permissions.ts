import { ROUTES } from './routes.js';

/** Sets of permissions and old names (conventions, 7.3). A grant may name a permission, a set or an old name. */
const ALL = [
  ...new Set(
    ROUTES.flatMap(({ permission, furtherPermissions = [] }) =>
      permission === undefined ? furtherPermissions : [permission, ...furtherPermissions],
    ),
  ),
];

const starting = (...prefixes: readonly string[]): readonly string[] =>
  ALL.filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));

const IMPORT = ['data-import.', 'quire.data-import.'] as const;
const JOBS = ['change-manager.', 'metadata-provider.'] as const;
const INSTANCE_IDS = ['inventory-storage.record-bulk.', 'search.instances.ids.'] as const;
const OPERATOR_MAY_NOT = /^(perms\.|login\.|okapi\.|users\.item\.(post|put|delete))/;

export const PERMISSION_SETS: Readonly<Record<string, readonly string[]>> = {
  'data-export.all': starting('data-export.'),
  'data-import.upload.all': starting(...IMPORT),
  'source-records-manager.all': starting(...JOBS),
  'source-storage.all': starting('source-storage.', ...INSTANCE_IDS),
  'finance.module.all': starting('finance-storage.'),
  'okapi.all': starting('okapi.', 'perms.', 'login.', 'users.', 'users-bl.'),
  'quire.operator': ALL.filter((name) => !OPERATOR_MAY_NOT.test(name)),
  'quire.readonly': ALL.filter((name) => name.endsWith('.get')),
  // Tenants belong to the supertenant (conventions, section 6).
  'quire.all': ALL.filter((name) => !name.startsWith('okapi.proxy.tenants.')),
};

/** Names of older modules mean their successors. */
export const PERMISSION_ALIASES: Readonly<Record<string, string>> = {
  'source-storage.snapshots.get': 'source-storage.snapshots.item.get',
  'source-storage.records.get': 'source-storage.records.item.get',
  'source-storage.sourceRecords.get': 'source-storage.source-records.collection.get',
  'data-export.job-executions.items.get': 'data-export.job-executions.collection.get',
  'inventory-storage.instance-bulk.ids.collection.get': 'inventory-storage.record-bulk.ids.get',
};

/** The single permissions that a list of grants amounts to. */
export function expandPermissions(grants: Iterable<string>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const grant of grants) {
    const set = PERMISSION_SETS[grant];
    if (set) set.forEach((name) => names.add(name));
    else names.add(PERMISSION_ALIASES[grant] ?? grant);
  }
  return names;
}
