import { conflict, refused } from './failure.js';

/** Optimistic locking of resources with `_version` (conventions, section 13). */
const VERSIONS = 2_147_483_648;

/** Whatever a client sends. */
export const FIRST_VERSION = 1;

/** Of a change by a client, and of one by the server itself. */
export const nextVersion = (stored: number): number => (stored + 1) % VERSIONS;

export interface VersionedChange {
  readonly id: string;
  /** `_version` of what is stored. */
  readonly stored: number;
  /** `_version` of the body; absent or -1: none. */
  readonly sent?: number | undefined;
  /** The header `If-Match: "<n>"`, as it came; it may stand in for `_version`. */
  readonly ifMatch?: string | undefined;
}

/**
 * For a PUT, after it is known that the resource exists. @returns the version to be stored
 *
 * @throws Failure 409 in the words that clients look for; 400 when header and body name two versions
 */
export function changeVersion({ id, stored, sent, ifMatch }: VersionedChange): number {
  const body = sent === -1 ? undefined : sent;
  const header = ifMatch === undefined ? undefined : versionOf(ifMatch);
  if (body !== undefined && header !== undefined && body !== header)
    throw refused('If-Match and _version differ.', 'version-differs');
  const version = body ?? header;
  if (version !== stored) throw changed(id, stored, version);
  return nextVersion(stored);
}

/** For a DELETE, which needs no version, but holds to one that is named. @throws Failure 409 */
export function checkIfMatch({ id, stored, ifMatch }: Omit<VersionedChange, 'sent'>): void {
  if (ifMatch === undefined) return;
  const version = versionOf(ifMatch);
  if (version !== undefined && version !== stored) throw changed(id, stored, version);
}

/** Undefined for `*`, which any version matches; -1, which no resource has, for another tag that names none. */
function versionOf(ifMatch: string): number | undefined {
  if (ifMatch.trim() === '*') return undefined;
  const digits = /^"(\d{1,10})"$/.exec(ifMatch.trim())?.[1];
  return digits === undefined ? -1 : Number(digits);
}

function changed(id: string, stored: number, version: number | undefined): Error {
  const sent = version === undefined ? '<NULL>' : String(version);
  return conflict(
    `Cannot update record ${id} because it has been changed (optimistic locking): ` +
      `Stored _version is ${stored}, _version of request is ${sent}`,
    'version-conflict',
  );
}
