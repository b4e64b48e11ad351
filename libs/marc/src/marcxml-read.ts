/**
 * Reads one record of a MARCXML file: the bytes of its `record` element in, a record in stored form out.
 *
 * The plain form goes through `marcxml-plain.ts`; saxes reads everything else, and decides what is well-formed.
 *
 * Elements are known by their name and by being in the namespace of their record. What stands between them and is none
 * of MARCXML belongs to no field: it is left out with warning `TRAILING_DATA`.
 */

import { isUtf8 } from 'node:buffer';
import type { SaxesTagNS } from 'saxes';
import { invalidTag, recordError, type RecordError, WarningList } from './errors.js';
import {
  isControlTag,
  LEADER_BYTES,
  packTag,
  RECORD_BYTES_MAX,
  SUBFIELD_DELIMITER,
} from './iso2709/grammar.js';
import { controlField, dataField, type FieldBytes, writeRecord } from './iso2709/write.js';
import { TOO_DEEP, XML_DEPTH_MAX } from './marcxml-outer.js';
import { firstNotUtf8, PlacedParser, XmlFault } from './marcxml-parser.js';
import { PlainMarcXml } from './marcxml-plain.js';
import { MARCXML_NAMESPACE } from './marcxml-write.js';
import { MarcRecord } from './record.js';

/** More subfields than fit into 1 MiB. */
const ELEMENTS_MAX = 50_000;
const DELIMITER = String.fromCharCode(SUBFIELD_DELIMITER);

/** Reads the frames that stand in the same elements. Reading a frame leaves nothing behind that another would see. */
export class MarcXmlReader {
  private readonly plain = new PlainMarcXml();
  private parser: RecordParser | undefined;
  /** The start tag of the record before, known to be good, and the prefix in it. */
  private startTag = Buffer.alloc(0);
  private prefix = '';

  /** @param context start tags of the elements around the frames, as `FoundFrame` has them */
  constructor(private readonly context = '') {}

  /**
   * Never throws, whatever the bytes.
   *
   * @returns error `XML_SYNTAX`, `DOCTYPE_FORBIDDEN`, `LEADER`, `TAG`, `NO_FIELDS` or `TOO_LARGE`
   */
  read(frame: Buffer): MarcRecord | RecordError {
    if (frame.length > RECORD_BYTES_MAX) return recordError('TOO_LARGE', 0);
    const end = frame.length - this.prefix.length - '</record>'.length;
    const start = this.startTag.length;
    const known =
      start > 0 && end >= start && frame.compare(this.startTag, 0, start, 0, start) === 0;
    const ended = known && frame.toString('latin1', end) === `</${this.prefix}record>`;
    if (ended && this.plain.read(frame, start, end, this.prefix)) return this.plain.record();
    return this.parse(frame);
  }

  private parse(frame: Buffer): MarcRecord | RecordError {
    if (!isUtf8(frame)) {
      const detail = 'The XML holds bytes that are not UTF-8';
      return recordError('XML_SYNTAX', firstNotUtf8(frame), { detail });
    }
    try {
      this.parser ??= new RecordParser(this.context);
      const read = this.parser.read(frame.toString());
      this.remember(frame, this.parser.prefix);
      return read;
    } catch (error) {
      this.parser = undefined;
      if (!(error instanceof XmlFault)) throw error;
      const offset = Math.min(error.offset, frame.length);
      const doctype = error.message.includes('doctype');
      return doctype
        ? recordError('DOCTYPE_FORBIDDEN', offset)
        : recordError('XML_SYNTAX', offset, {
            detail: `The XML is not well-formed: ${error.message}`,
          });
    }
  }

  private remember(frame: Buffer, prefix: string): void {
    // The tag is good, so what is no quotation is no `>` in it.
    const tag =
      /^<(?:[^>"']|"[^"]*"|'[^']*')*>/.exec(frame.toString('latin1', 0, 4096))?.[0] ?? '/>';
    if (tag.endsWith('/>')) return;
    this.startTag = Buffer.from(tag, 'latin1');
    this.prefix = prefix;
  }
}

/** A parser that stands inside the elements of the context, and takes one record after the other. */
class RecordParser {
  prefix = '';
  private readonly parser = new PlacedParser();
  private record = new RecordElements('');
  private depth = 0;
  private elements = 0;
  /** Where in the text the record ended. */
  private closedAt = -1;

  /** @throws XmlFault */
  constructor(context: string) {
    const { sax } = this.parser;
    // An element of our own is the root, so that any number of records may follow.
    this.parser.write(`<_>${context}`);
    sax.on('opentag', (tag) => {
      this.open(tag);
    });
    sax.on('closetag', (tag) => {
      this.close(tag);
    });
    sax.on('text', (text) => {
      this.record.text(text);
    });
    sax.on('cdata', (text) => {
      this.record.text(text);
    });
  }

  /** @throws XmlFault, after which the parser is of no use */
  read(text: string): MarcRecord | RecordError {
    this.closedAt = -1;
    this.elements = 0;
    this.parser.write(text);
    if (this.closedAt !== text.length) throw this.parser.fault('the record does not end');
    return this.record.result();
  }

  private open(tag: SaxesTagNS): void {
    if (this.closedAt >= 0) throw this.parser.fault('there is more than one record');
    this.depth += 1;
    this.elements += 1;
    if (this.elements > ELEMENTS_MAX)
      throw this.parser.fault(`a record has more than ${ELEMENTS_MAX} elements`);
    // Framing counts the elements around it too; this keeps saxes from searching endless names for their namespace.
    if (this.depth > XML_DEPTH_MAX) throw this.parser.fault(TOO_DEEP);
    if (this.depth > 1) {
      this.record.open(tag, this.depth);
      return;
    }
    this.record = new RecordElements(tag.uri);
    this.prefix = tag.prefix === '' ? '' : `${tag.prefix}:`;
    if (tag.local !== 'record' || (tag.uri !== '' && tag.uri !== MARCXML_NAMESPACE))
      throw this.parser.fault('it is no record of MARCXML');
  }

  private close(tag: SaxesTagNS): void {
    if (this.depth === 0) throw this.parser.fault('unexpected close tag.');
    if (this.depth > 1) this.record.close(tag, this.depth);
    this.depth -= 1;
    if (this.depth === 0) this.closedAt = this.parser.read;
  }
}

/** Collects the fields of one record from its elements. */
class RecordElements {
  private readonly warnings = new WarningList();
  private readonly fields: FieldBytes[] = [];
  private leader: string | undefined;
  private failed: RecordError | undefined;
  /** The element that is open in the record, and in the field. */
  private field: 'leader' | 'controlfield' | 'datafield' | undefined;
  private inSubfield = false;
  private tag = '';
  private indicators = '';
  private code = '';
  private subfields: [string, string][] = [];
  private held = '';
  /** Depth of the outermost element that is none of MARCXML. */
  private foreign = 0;

  constructor(private readonly uri: string) {}

  open({ local, uri, attributes }: SaxesTagNS, depth: number): void {
    if (this.foreign > 0) return;
    const value = (name: string): string => attributes[name]?.value ?? '';
    const ours = uri === this.uri;
    if (ours && depth === 2 && (local === 'controlfield' || local === 'datafield')) {
      this.field = local;
      this.tag = value('tag');
      this.held = '';
      this.subfields = [];
      if (local === 'datafield')
        this.indicators = this.indicator(value('ind1')) + this.indicator(value('ind2'));
    } else if (ours && depth === 2 && local === 'leader' && this.leader === undefined) {
      this.field = local;
      this.held = '';
    } else if (ours && depth === 3 && local === 'subfield' && this.field === 'datafield') {
      this.inSubfield = true;
      this.code = value('code');
      this.held = '';
    } else {
      this.foreign = depth;
      this.leaveOut();
    }
  }

  close({ local }: SaxesTagNS, depth: number): void {
    if (this.foreign > 0) {
      if (this.foreign === depth) this.foreign = 0;
      return;
    }
    if (depth === 3) {
      this.inSubfield = false;
      this.addSubfield();
      return;
    }
    this.field = undefined;
    if (local === 'leader') this.leader = this.held;
    else if (local === 'controlfield') this.addControl();
    else this.addData();
  }

  text(text: string): void {
    if (this.foreign > 0) return;
    if (this.field !== undefined && (this.field !== 'datafield' || this.inSubfield))
      this.held += text;
    else if (text.trim() !== '') this.leaveOut();
  }

  result(): MarcRecord | RecordError {
    const { leader, fields, warnings } = this;
    if (leader?.length !== LEADER_BYTES) return recordError('LEADER', 0, { tag: 'LDR' });
    if (this.failed) return this.failed;
    if (/[^\x20-\x7e]/.test(leader)) warnings.add('CONTROL_CHAR', 0, { tag: 'LDR' });
    const written = writeRecord(leader, fields);
    if (written.failed) return written;
    return new MarcRecord(written.bytes, written.table, [...warnings.list, ...written.warnings]);
  }

  /** Catalogues write fields such as FMT as control fields; their text is kept in a subfield, not lost. */
  private addControl(): void {
    if (!this.isTag()) return;
    if (isControlTag(packTag(this.tag))) {
      this.fields.push(controlField(this.tag, this.held));
      return;
    }
    const detail = 'A control field whose tag is not 00x was read as a data field with subfield a';
    this.warn('INDICATOR', detail);
    this.fields.push(dataField(this.tag, '  ', [['a', this.held]]));
  }

  private addData(): void {
    if (!this.isTag()) return;
    if (isControlTag(packTag(this.tag))) {
      this.warn('CONTROL_SUBFIELD');
      const texts = this.subfields.map(([code, text]) => DELIMITER + code + text);
      this.fields.push({ tag: this.tag, body: Buffer.from(this.indicators + texts.join('')) });
      return;
    }
    if (this.subfields.length === 0) this.warn('NO_SUBFIELD');
    this.fields.push(dataField(this.tag, this.indicators, this.subfields));
  }

  private addSubfield(): void {
    const [code, ...more] = this.code;
    if (code === undefined) {
      this.warn('NO_SUBFIELD');
      return;
    }
    if (more.length > 0) {
      this.warn('NO_SUBFIELD', 'A subfield code had more than one character; the first was taken');
    }
    this.subfields.push([code, this.held]);
  }

  private isTag(): boolean {
    const { tag } = this;
    if (/^[0-9A-Za-z]{3}$/.test(tag)) return true;
    this.failed ??= invalidTag(tag);
    return false;
  }

  private indicator(text: string): string {
    if (/^[\x20-\x7e]$/.test(text)) return text;
    this.warn('INDICATOR');
    return ' ';
  }

  private leaveOut(): void {
    this.warnings.add('TRAILING_DATA', 0, { field: 0 });
  }

  private warn(code: 'INDICATOR' | 'NO_SUBFIELD' | 'CONTROL_SUBFIELD', detail?: string): void {
    const place = { tag: this.tag, field: this.fields.length };
    this.warnings.add(code, 0, detail === undefined ? place : { ...place, detail });
  }
}
