import { isAnyUuid } from '@quire/contracts/ids';
import { badParameter, single, type Query } from '@quire/contracts/paging';
import { aText } from '@quire/contracts/query-parameters';
import { failures } from '../domain/failures.js';
import { profileOf } from '../domain/job-profiles.js';
import type { Autostart } from '../usecases/upload-definitions.js';

export const AUTOSTART = aText('autostart', {
  description:
    'Imports when all files are there: `true`, `false` or the id of a job profile. Absent: as the tenant has set.',
});

/**
 * `autostart=true`, `false` or the id of a job profile, on creating a definition (data-import, section 14, 14).
 *
 * @throws Failure 422 for a profile that nobody knows, 400 for what is none of the three
 */
export function autostartOf(query: Query): Autostart {
  const text = single(query, 'autostart');
  if (text === undefined) return undefined;
  if (/^true$/i.test(text)) return 'on';
  if (/^false$/i.test(text)) return 'off';
  const profile = profileOf(text);
  if (profile) return profile.id;
  if (isAnyUuid(text)) throw failures.profileNotFound(text, 'autostart');
  throw badParameter('autostart', text, 'must be true, false or the id of a job profile');
}
