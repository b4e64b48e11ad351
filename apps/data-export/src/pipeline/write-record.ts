import { errorSentence } from '@quire/marc/errors';
import { hasDelimiterInControl, withoutControls } from '@quire/marc/iso2709/controls';
import { FIELD_NUMBER_MAX, readDigits, RECORD_TERMINATOR } from '@quire/marc/iso2709/grammar';
import { openStored, suppressFields, type Suppression } from '@quire/marc/iso2709/stored';
import { exportLimit, type ExportLimit } from '@quire/marc/iso2709/write';
import { toMarc8 } from '@quire/marc/iso2709/write-marc8';
import { writeMarcJsonLine } from '@quire/marc/marc-json';
import { writeMarcXml } from '@quire/marc/marcxml-write';
import type { MarcRecord } from '@quire/marc/record';
import type { RecordPlan } from '../domain/record-plan.js';

/** What became of one stored record. */
export type Written =
  | {
      readonly kind: 'written';
      readonly bytes: Buffer;
      readonly record: MarcRecord;
      readonly warning?: string;
    }
  /** MARCXML of a record that does not fit into the output. */
  | {
      readonly kind: 'oversize';
      readonly bytes: Buffer;
      readonly record: MarcRecord;
      readonly warning: string;
    }
  /** Without a record: it is damaged and does not say what it is. */
  | { readonly kind: 'faulty'; readonly problem: string; readonly record?: MarcRecord };

/** Writes stored records as a job wants them (`data-export.md`, 10.7–10.9). A record that cannot be written is a value. */
export class RecordWriter {
  private readonly suppression: Suppression | undefined;
  private readonly untouched: boolean;

  constructor(private readonly plan: RecordPlan) {
    const { suppressTags, suppress999ff, format, encoding } = plan;
    if (suppressTags.length > 0 || suppress999ff)
      this.suppression = { tags: new Set(suppressTags), ff999: suppress999ff };
    this.untouched = !this.suppression && format === 'MARC' && encoding === 'UTF-8';
  }

  /** May the bytes be passed on as they are? Sure without reading the record; if not, it has to be written. */
  passes(bytes: Buffer): boolean {
    return this.untouched && isPlain(bytes);
  }

  write(bytes: Buffer): Written {
    let stored: MarcRecord;
    try {
      stored = openStored(bytes);
    } catch (error) {
      return { kind: 'faulty', problem: unconvertible((error as Error).message) };
    }
    const cleaned = withoutControls(stored);
    if (cleaned?.failed)
      return { kind: 'faulty', problem: unconvertible(errorSentence(cleaned)), record: stored };
    const record = this.withoutSuppressed(cleaned ?? stored);
    if (typeof record === 'string') return { kind: 'faulty', problem: record, record: stored };
    const written = this.serialised(record);
    return cleaned && written.kind === 'written'
      ? { ...written, warning: CONTROLS_REMOVED }
      : written;
  }

  /** @returns the reason when no field is left */
  private withoutSuppressed(record: MarcRecord): MarcRecord | string {
    if (!this.suppression) return record;
    const edited = suppressFields(record, this.suppression);
    return edited.failed ? unconvertible(errorSentence(edited)) : openStored(edited.bytes);
  }

  private serialised(record: MarcRecord): Written {
    const { format, encoding, oversize } = this.plan;
    if (format === 'MARCXML') return { kind: 'written', bytes: writeMarcXml(record), record };
    if (format === 'MARC_JSON')
      return { kind: 'written', bytes: writeMarcJsonLine(record), record };
    const written = encoding === 'MARC-8' ? toMarc8(record) : inUtf8(record);
    if (!written.failed) return { kind: 'written', bytes: written.bytes, record };
    const problem = limitText(written);
    if (oversize === 'fail') return { kind: 'faulty', problem, record };
    return { kind: 'oversize', bytes: writeMarcXml(record), record, warning: problem };
  }
}

type Encoded =
  { readonly failed: false; readonly bytes: Buffer } | ({ readonly failed: true } & ExportLimit);

function inUtf8(record: MarcRecord): Encoded {
  const limit = exportLimit(record);
  return limit ? { failed: true, ...limit } : { failed: false, bytes: record.bytes };
}

/**
 * Surely well formed for binary output: true length, end mark, too short for a field that is too long, and no delimiter
 * inside a control field. The numbers of a longer record must be looked at.
 */
function isPlain(bytes: Buffer): boolean {
  const { length } = bytes;
  return (
    length <= FIELD_NUMBER_MAX &&
    bytes[length - 1] === RECORD_TERMINATOR &&
    readDigits(bytes, 0, 5) === length &&
    !hasDelimiterInControl(bytes)
  );
}

const CONTROLS_REMOVED = 'Control characters inside the data of the record were removed';

/** FOLIO's sentences, with its spelling ("thatn"): clients know them. */
function limitText(limit: ExportLimit): string {
  return limit.limit === 'record'
    ? `Record is too long to be a valid MARC binary record, it's length would be ${limit.length} which is more thatn 99999 bytes`
    : 'Record has field that is too long to be a valid MARC binary record. The maximum length for a field counting all of the sub-fields is 9999 bytes.';
}

export const unconvertible = (cause: string): string =>
  `Json record cannot be converted to marc format, cause: ${cause}`;
