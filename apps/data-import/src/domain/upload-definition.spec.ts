import type { DefinitionStatus, UploadFileStatus } from '@quire/contracts/data-import';
import { checkFileName, definitionStatus, lastSegment } from './upload-definition.js';

describe('an upload definition', () => {
  it.each<[DefinitionStatus, UploadFileStatus[]]>([
    ['NEW', []],
    ['NEW', ['NEW']],
    ['NEW', ['NEW', 'ERROR']],
    ['ERROR', ['ERROR', 'ERROR']],
    ['IN_PROGRESS', ['UPLOADING']],
    ['IN_PROGRESS', ['UPLOADING', 'ERROR']],
    ['IN_PROGRESS', ['NEW', 'UPLOADED']],
    ['IN_PROGRESS', ['ERROR', 'UPLOADED']],
    ['LOADED', ['UPLOADED', 'UPLOADED']],
  ])('is %s with files %j', (status, files) => {
    expect(definitionStatus(files, false)).toBe(status);
    expect(definitionStatus(files, true)).toBe('COMPLETED');
  });
});

describe('a file name', () => {
  it.each([
    ['a.mrc', 'a.mrc'],
    ['/home/ann/a.mrc', 'a.mrc'],
    ['C:\\ann\\a.mrc', 'a.mrc'],
    ['a/b\\c.mrc', 'c.mrc'],
    ['a/', ''],
    ['.', '.'],
  ])('%j gives the job the name %j', (name, segment) => {
    expect(lastSegment(name)).toBe(segment);
  });

  it.each(['', 'a/', '\\'])('is refused without a last part: %j', (name) => {
    expect(checkFileName(name, 'name')).toEqual({
      message: 'may not be empty',
      type: '1',
      code: '-1',
      parameters: [{ key: 'name', value: name }],
    });
  });

  it.each(['a\n.mrc', 'a\0.mrc', '\u007f', 'path\t/a.mrc'])(
    'is refused with a control character: %j',
    (name) => {
      expect(checkFileName(name, 'name')?.message).toBe('must not contain control characters');
    },
  );

  it('may have 255 bytes in its last part, whatever its path has', () => {
    expect(checkFileName('a'.repeat(255), 'name')).toBeUndefined();
    expect(checkFileName(`${'p'.repeat(600)}/${'a'.repeat(255)}`, 'name')).toBeUndefined();
    expect(checkFileName('ü'.repeat(127), 'name')).toBeUndefined();
    expect(checkFileName('ü'.repeat(128), 'name')?.message).toBe('size must be between 1 and 255');
  });
});
