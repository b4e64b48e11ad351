/**
 * Why nothing of a file can be imported (data-import, 8.2): what the upload found, and what the job says about it. The job
 * ends ERROR with the message of its code; a hint says in plain words what the person can do.
 */
export const FILE_PROBLEMS = [
  'EMPTY_FILE',
  'COMPRESSED',
  'NOT_UTF8',
  'DOCTYPE_FORBIDDEN',
  'EDIFACT',
  'NOT_MARC',
  'TOO_MANY_RECORDS',
  'TOO_MANY_WRAPPERS',
] as const;
export type FileProblem = (typeof FILE_PROBLEMS)[number];

export interface JobMessage {
  /** Of 8.7; `HINT` for what may be done about it. */
  readonly code: string;
  readonly text: string;
}

const UNSUPPORTED: JobMessage = { code: 'UNSUPPORTED_FORMAT', text: 'Unsupported file format' };
const hint = (text: string): JobMessage => ({ code: 'HINT', text });
const CONVERT =
  'Quire imports MARC 21 records in ISO 2709, MARCXML and MARC-in-JSON. Convert the file to one of these and upload it again.';

/** Of a file that was uploaded before its format could be read the problem may have a name that is gone. */
export function messagesOf(problem: FileProblem): readonly JobMessage[] {
  switch (problem) {
    case 'EMPTY_FILE':
      return [
        { code: problem, text: 'File is empty or content is invalid!' },
        hint('No MARC record was found in the file. Check that it is the file you meant.'),
      ];
    case 'COMPRESSED':
      return [
        { code: problem, text: 'Compressed files are not supported' },
        hint('Unpack the file and upload the MARC file that is in it.'),
      ];
    case 'NOT_UTF8':
      return [
        UNSUPPORTED,
        hint('The file is not in UTF-8. Convert it to UTF-8 and upload it again.'),
      ];
    case 'DOCTYPE_FORBIDDEN':
      return [
        { code: problem, text: 'A document type declaration (DOCTYPE) is not allowed' },
        hint('Remove the DOCTYPE from the file and upload it again.'),
      ];
    case 'EDIFACT':
      return [UNSUPPORTED, hint(`The file is EDIFACT, which holds no MARC records. ${CONVERT}`)];
    case 'NOT_MARC':
      return [UNSUPPORTED, hint('Choose a job profile for MARC records.')];
    case 'TOO_MANY_RECORDS':
      return [
        { code: problem, text: 'The file has more than 10000000 records' },
        hint('Split the file and import its parts.'),
      ];
    case 'TOO_MANY_WRAPPERS':
      return [
        {
          code: problem,
          text: 'The elements around the records change more than 10000 times in the file',
        },
        hint('Put the records into one collection element and upload the file again.'),
      ];
    default:
      return [UNSUPPORTED, hint('Upload the file again: Quire may read it now.')];
  }
}

/** A hint: the import goes on. */
export const duplicateOf = (hrId: number): JobMessage => ({
  code: 'DUPLICATE_FILE',
  text: `The same file was imported before by the job with hrId ${hrId}`,
});

/** A hint on a retry: records that reading cannot even cut out of their file. */
export const leftOut = (count: number): JobMessage => ({
  code: 'RETRY_LEFT_OUT',
  text: `${count} failed record${count === 1 ? '' : 's'} cannot be read again and ${count === 1 ? 'was' : 'were'} left out (too large, or broken XML or JSON)`,
});

/** The answer of a chunk was given up: it says what was saved, and nobody can read it. */
export const NOT_COUNTED: JobMessage = {
  code: 'NOT_COUNTED',
  text: 'What came of a part of the file could not be counted. Its records are listed as failed, although some of them may have been stored',
};

/** The source file of a running import is not in the store any more. */
export const FILE_MISSING: JobMessage = {
  code: 'FILE_MISSING',
  text: 'The uploaded file is gone',
};
