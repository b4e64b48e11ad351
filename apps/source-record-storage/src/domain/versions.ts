/** Versions of what has no `_version`: the time of its last change in microseconds (source-record-storage, 1.2 and 14). */
export const etagOf = (version: string): string => `"${version}"`;

/** @param ifMatch the header: ETags, or `*`; absent: any version will do */
export function matchesVersion(ifMatch: string | undefined, version: string): boolean {
  if (ifMatch === undefined) return true;
  return ifMatch.split(',').some((one) => ['*', etagOf(version)].includes(one.trim()));
}
