import type { DefinitionStatus, UploadFileStatus } from '@quire/contracts/data-import';
import type { Violation } from '@quire/contracts/failure';
import { violation } from '@quire/contracts/failure';

/** Rules of upload definitions and their files (data-import, 3.1, 3.5 and 7.1). */
export const FILES_MAX = 1000;
const NAME_BYTES_MAX = 255;

/** The status that follows from the files. */
export function definitionStatus(
  files: readonly UploadFileStatus[],
  processingStarted: boolean,
): DefinitionStatus {
  if (processingStarted) return 'COMPLETED';
  if (files.length === 0) return 'NEW';
  if (files.every((status) => status === 'UPLOADED')) return 'LOADED';
  if (files.every((status) => status === 'ERROR')) return 'ERROR';
  return files.some((status) => status === 'UPLOADING' || status === 'UPLOADED')
    ? 'IN_PROGRESS'
    : 'NEW';
}

/** What a job is called by: the last part of a name that may hold a path. */
export function lastSegment(name: string): string {
  return name.split(/[/\\]/).at(-1) ?? name;
}

/** @param key path of the name in the body */
export function checkFileName(name: string, key: string): Violation | undefined {
  const segment = lastSegment(name);
  if (segment === '') return violation('may not be empty', key, name);
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name))
    return violation('must not contain control characters', key, name);
  const bytes = Buffer.byteLength(segment);
  return bytes > NAME_BYTES_MAX
    ? violation(`size must be between 1 and ${NAME_BYTES_MAX}`, key, name)
    : undefined;
}
