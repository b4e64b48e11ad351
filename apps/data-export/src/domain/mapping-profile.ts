import type { MappingProfile, OutputFormat } from '@quire/contracts/data-export';
import { invalid, violation } from '@quire/contracts/failure';
import { failures } from './failures.js';

/** What a job keeps of its mapping profile: later edits of the profile do not touch the job. */
export interface MappingSnapshot {
  readonly id: string;
  readonly name: string;
  readonly recordTypes: readonly string[];
  readonly outputFormat: OutputFormat;
  readonly fieldsSuppression?: string;
  readonly suppress999ff: boolean;
}

export function suppressedTags(fieldsSuppression: string | undefined): string[] {
  return (fieldsSuppression ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}

/** The rules of a mapping profile that its shape does not show (`data-export.md`, 11.3), in their order. */
export function checkMappingProfile(profile: MappingProfile): void {
  const { recordTypes, transformations = [], fieldsSuppression } = profile;
  if (transformations.length > 0) throw failures.notAvailableYet('Transformations');
  if (recordTypes.includes('SRS') && recordTypes.includes('INSTANCE'))
    throw failures.srsWithInstance();
  const tags = suppressedTags(fieldsSuppression);
  const bad = tags.flatMap((tag, index) =>
    /^\d{3}$/.test(tag)
      ? []
      : [violation('must match "^\\d{3}$"', `suppressionFields[${index}]`, tag)],
  );
  if (bad.length > 0) throw invalid(...bad);
  if (tags.length > 0 && recordTypes.length === 1 && recordTypes[0] === 'ITEM')
    throw failures.suppressionOfItems();
}
