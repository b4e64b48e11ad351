import { isDeepStrictEqual } from 'node:util';
import type { Instance, MarcSource, ValueSource } from '@quire/contracts/instances';
import type { MarcJson } from '@quire/marc/marc-json';
import { readMarcJson } from '@quire/marc/marc-json-read';
import type { InstanceFacts } from '../domain/instance-facts.js';
import { NO_LEADER } from '../domain/stored-content.js';
import { instanceFacts } from './instance-row.js';

/**
 * Which fields of a record say what stands in its row of the instance view (source-record-storage, section 14). Each field is
 * read once more as if the record had no other, and gave what the row has of that: so an explanation cannot disagree with the
 * rules by which rows are made.
 */
export function explainInstance(row: Instance, record: MarcJson | undefined): ValueSource[] {
  const pieces = record ? piecesOf(record) : [];
  const byContent = VALUES.flatMap(([index, valuesOf]) => {
    const sayers = pieces.map(({ source, facts }) => ({ source, values: valuesOf(facts) }));
    return valuesOf(row).map((value): ValueSource => {
      const fields = sayers
        .filter(({ values }) => values.some((said) => isDeepStrictEqual(said, value)))
        .map(({ source }) => source);
      return { index, value, fields };
    });
  });
  return [...besides(row, record), ...byContent];
}

interface Piece {
  readonly source: MarcSource;
  readonly facts: Sayer;
}

/** A row, or what one field alone would put into it. */
type Sayer = Partial<Omit<Instance, 'explanation'>>;

/** Said by the leader, and only by it. */
const BY_LEADER = ['modeOfIssuance', 'recordKind'] as const;

function piecesOf({ leader, fields }: MarcJson): Piece[] {
  const pieces: Piece[] = [
    { source: { tag: 'LDR', content: leader }, facts: sayerOf({ leader, fields: [NOTHING_SAID] }) },
  ];
  for (const [place, field] of fields.entries()) {
    const facts: Record<string, unknown> = {
      ...sayerOf({ leader: NO_LEADER, fields: [field] }),
    };
    for (const name of BY_LEADER) delete facts[name];
    const [tag = '', content = ''] = Object.entries(field)[0] ?? [];
    pieces.push({ source: { tag, place, content: textOf(content) }, facts });
  }
  return pieces;
}

/** A record has a field; this one says nothing in the view. */
const NOTHING_SAID = { '009': '-' };
const NOTHING: InstanceFacts = { title: undefined, indexTitle: undefined, data: {} };

/** A title in another script is a linked one where the record has its own too. */
function sayerOf(json: MarcJson): Sayer {
  const record = readMarcJson(json);
  const { title, indexTitle, data }: InstanceFacts = record.failed
    ? NOTHING
    : instanceFacts(record);
  return {
    ...data,
    ...(title === undefined ? {} : { title, linkedTitles: [title, ...(data.linkedTitles ?? [])] }),
    ...(indexTitle === undefined ? {} : { indexTitle }),
  };
}

function textOf(content: MarcJson['fields'][number][string]): string {
  if (typeof content === 'string') return content;
  const subfields = content.subfields.flatMap((one) => Object.entries(one));
  return content.ind1 + content.ind2 + subfields.map(([code, text]) => `$${code}${text}`).join('');
}

type ValuesOf = (of: Sayer) => readonly unknown[];

const one =
  (name: keyof Sayer): ValuesOf =>
  (of) =>
    of[name] === undefined ? [] : [of[name]];
const each =
  (name: keyof Sayer): ValuesOf =>
  (of) =>
    (of[name] ?? []) as readonly unknown[];
const date =
  (name: 'date1' | 'date2' | 'dateType'): ValuesOf =>
  (of) =>
    of.dates?.[name] === undefined ? [] : [of.dates[name]];

const VALUES: readonly (readonly [string, ValuesOf])[] = [
  ['title', one('title')],
  ['indexTitle', one('indexTitle')],
  ['linkedTitles', each('linkedTitles')],
  ['alternativeTitles', each('alternativeTitles')],
  ['series', each('series')],
  ['contributors', each('contributors')],
  ['identifiers', each('identifiers')],
  ['isbn', each('isbn')],
  ['issn', each('issn')],
  ['oclc', each('oclc')],
  ['languages', each('languages')],
  ['dates.dateType', date('dateType')],
  ['dates.date1', date('date1')],
  ['dates.date2', date('date2')],
  ['publication', each('publication')],
  ['dateOfPublication', each('dateOfPublication')],
  ['subjects', each('subjects')],
  ['classifications', each('classifications')],
  ['electronicAccess', each('electronicAccess')],
  ['instanceTypeCode', one('instanceTypeCode')],
  ['instanceFormatCode', one('instanceFormatCode')],
  ['modeOfIssuance', one('modeOfIssuance')],
  ['recordKind', one('recordKind')],
];

/** What stands beside the content of the record; 001 and the leader repeat some of it. */
function besides(row: Instance, record: MarcJson | undefined): ValueSource[] {
  const leader = record ? [{ tag: 'LDR', content: record.leader }] : [];
  const of = (
    index: string,
    value: unknown,
    property: string,
    fields: readonly MarcSource[] = [],
  ): ValueSource[] => (value === undefined ? [] : [{ index, value, fields, property }]);
  const { metadata } = row;
  return [
    ...of('id', row.id, 'externalIdsHolder.instanceId'),
    ...of('hrid', row.hrid, 'externalIdsHolder.instanceHrid', controlNumbers(row, record)),
    ...of('source', row.source, 'recordType'),
    ...of('discoverySuppress', row.discoverySuppress, 'additionalInfo.suppressDiscovery'),
    ...of('staffSuppress', row.staffSuppress, 'additionalInfo.staffSuppress, else state'),
    ...of('deleted', row.deleted, 'state, or position 05 of the leader', leader),
    ...of('snapshotId', row.snapshotId, 'snapshotId'),
    ...of('metadata.createdDate', metadata.createdDate, 'metadata of generation 0'),
    ...of('metadata.createdByUserId', metadata.createdByUserId, 'metadata of generation 0'),
    ...of('metadata.updatedDate', metadata.updatedDate, 'metadata of the newest generation'),
    ...of(
      'metadata.updatedByUserId',
      metadata.updatedByUserId,
      'metadata of the newest generation',
    ),
  ];
}

function controlNumbers({ hrid }: Instance, record: MarcJson | undefined): MarcSource[] {
  return (record?.fields ?? []).flatMap((field, place) => {
    const content = field['001'];
    return typeof content === 'string' && content === hrid ? [{ tag: '001', place, content }] : [];
  });
}
