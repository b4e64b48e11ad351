import { isUtf8 } from 'node:buffer';
import type { SourceRecordType } from '@quire/contracts/source-records';
import { recognise, RECOGNISE_BYTES } from '@quire/marc/recognise';
import { MEDIA_TYPE } from './record-formats.js';

const EDIFACT = 'application/edifact';
const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';

/** The media type of original bytes, told by what they are: clients may send anything as a raw record. */
export function rawTypeOf(type: SourceRecordType, bytes: Buffer): string {
  switch (recognise(bytes.subarray(0, RECOGNISE_BYTES))) {
    case 'MARCXML':
      return MEDIA_TYPE.marcxml;
    case 'MARC_JSON':
      return type === 'EDIFACT' ? 'application/json' : MEDIA_TYPE['marc-in-json'];
    case 'EDIFACT':
      return EDIFACT;
    case 'ISO2709':
      if (type !== 'EDIFACT' && beginsWithLength(bytes)) return MEDIA_TYPE.marc;
      return type === 'EDIFACT' ? EDIFACT : textOrBytes(bytes);
    case 'COMPRESSED':
    case 'UNKNOWN':
      return textOrBytes(bytes);
  }
}

/** As every leader does. */
const beginsWithLength = (bytes: Buffer): boolean => /^\d{5}/.test(bytes.toString('latin1', 0, 5));

const textOrBytes = (bytes: Buffer): string => (isUtf8(bytes) ? TEXT : BYTES);
