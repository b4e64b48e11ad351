import { sound } from '../test/records.js';
import { recognise } from './recognise.js';

const tar = Buffer.alloc(512);
tar.write('00012.mrc');
tar.write('ustar\x0000', 257, 'latin1');

describe('the format of a file', () => {
  it.each([
    ['five digits', sound().bytes, 'ISO2709'],
    ['a byte order mark and line ends before them', Buffer.from('\ufeff\r\n 00714cam'), 'ISO2709'],
    ['any text', Buffer.from('eighteen bytes txt'), 'ISO2709'],
    ['XML', Buffer.from('\ufeff  <?xml version="1.0"?>'), 'MARCXML'],
    ['XML in UTF-16', Buffer.from('\ufeff<collection>', 'utf16le'), 'MARCXML'],
    ['a JSON array', Buffer.from('\n\t[{"leader"'), 'MARC_JSON'],
    ['a JSON object', Buffer.from('{"leader"'), 'MARC_JSON'],
    ['EDIFACT with service string', Buffer.from('UNA:+.?'), 'EDIFACT'],
    ['EDIFACT', Buffer.from('UNB+UNOC:3'), 'EDIFACT'],
    ['text that only begins so', Buffer.from('UNBELIEVABLE'), 'ISO2709'],
    ['nothing', Buffer.alloc(0), 'UNKNOWN'],
    ['blanks only', Buffer.from('\r\n \0\x1a'), 'UNKNOWN'],
    ['gzip', Buffer.from('1f8b0800', 'hex'), 'COMPRESSED'],
    ['zip', Buffer.from('PK\x03\x04rest'), 'COMPRESSED'],
    ['zstd', Buffer.from('28b52ffd00', 'hex'), 'COMPRESSED'],
    ['bzip2', Buffer.from('BZh91AY'), 'COMPRESSED'],
    ['xz', Buffer.from('fd377a585a0000', 'hex'), 'COMPRESSED'],
    ['7z', Buffer.from('377abcaf271c0004', 'hex'), 'COMPRESSED'],
    ['tar, even of a file with a name of digits', tar, 'COMPRESSED'],
  ])('is told by its first bytes: %s', (_what, head, format) => {
    expect(recognise(head)).toBe(format);
  });
});
