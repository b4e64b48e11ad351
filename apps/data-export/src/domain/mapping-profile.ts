import type { OutputFormat, Transformation } from '@quire/contracts/data-export';

/** What a job keeps of its mapping profile: later edits of the profile do not touch the job. */
export interface MappingSnapshot {
  readonly id: string;
  readonly name: string;
  readonly recordTypes: readonly string[];
  readonly outputFormat: OutputFormat;
  readonly fieldsSuppression?: string;
  readonly suppress999ff: boolean;
  /** Absent: none. */
  readonly transformations?: readonly Transformation[];
}

export function suppressedTags(fieldsSuppression: string | undefined): string[] {
  return (fieldsSuppression ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}
