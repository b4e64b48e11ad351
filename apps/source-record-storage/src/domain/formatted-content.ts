import type { MarcJson } from '@quire/marc/marc-json';
import type { SourceRecordType } from '@quire/contracts/source-records';
import { contentOf, type StoredContent } from './stored-content.js';

/**
 * Parsed content as people read it (source-record-storage, 3.1). MARC: the leader, then a line per field, with `$` before the
 * code of a subfield. EDIFACT: a line per segment. Every line is ended by LF.
 */
export function formattedContent(type: SourceRecordType, stored: StoredContent): string {
  const content = contentOf(stored);
  if (typeof content === 'string') return lines(segmentsOf(content));
  return lines(type === 'EDIFACT' ? jsonSegments(content) : marcLines(content as MarcJson));
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('');

function marcLines({ leader, fields }: Partial<MarcJson> & Pick<MarcJson, 'fields'>): string[] {
  const first = leader === undefined ? [] : [`LEADER ${leader}`];
  return [...first, ...fields.flatMap((field) => Object.entries(field).map(fieldLine))];
}

function fieldLine([tag, content]: [string, MarcJson['fields'][number][string]]): string {
  if (typeof content === 'string') return `${tag} ${content}`;
  const {
    ind1 = ' ',
    ind2 = ' ',
    subfields,
  } = content as Partial<typeof content> & Pick<typeof content, 'subfields'>;
  const text = subfields.flatMap((one) =>
    Object.entries(one).map(([code, value]) => `$${code}${value}`),
  );
  return `${tag} ${ind1}${ind2}${text.join('')}`;
}

/** What stands between data unless a segment UNA says otherwise (ISO 9735). */
const SERVICE = { component: ':', element: '+', release: '?', terminator: "'" };
/** `UNA`, then component, element, decimal mark, release, reserved, terminator. */
const UNA_LENGTH = 9;

/** Segments with their terminators, without the line ends that some senders put between them. */
function segmentsOf(message: string): string[] {
  const una = message.startsWith('UNA') && message.length >= UNA_LENGTH;
  const release = una ? message[6] : SERVICE.release;
  const terminator = una ? message[8] : SERVICE.terminator;
  const segments = una ? [message.slice(0, UNA_LENGTH)] : [];
  let from = segments.length * UNA_LENGTH;
  for (let at = from; at < message.length; at++) {
    if (message[at] === release && release !== ' ') at++;
    else if (message[at] === terminator) {
      segments.push(message.slice(from, at + 1).trimStart());
      from = at + 1;
    }
  }
  const rest = message.slice(from).trim();
  return rest === '' ? segments : [...segments, rest];
}

interface Segment {
  readonly tag: string;
  readonly dataElements: readonly { readonly components: readonly { readonly data?: string }[] }[];
}

/** JSON of a message as importers make it, written as the message; any other as it is. */
function jsonSegments(content: object): string[] {
  const { segments } = content as { segments?: unknown };
  return Array.isArray(segments) && segments.every(isSegment)
    ? segments.map(segmentText)
    : [JSON.stringify(content)];
}

function isSegment(value: unknown): value is Segment {
  const { tag, dataElements } = (value ?? {}) as Partial<Record<keyof Segment, unknown>>;
  return (
    typeof tag === 'string' &&
    Array.isArray(dataElements) &&
    dataElements.every((one: { components?: unknown } | null) => Array.isArray(one?.components))
  );
}

function segmentText({ tag, dataElements }: Segment): string {
  const { component, element, release, terminator } = SERVICE;
  if (tag === 'UNA') return `UNA${component}${element}.${release} ${terminator}`;
  const elements = dataElements.map(({ components }) =>
    components.map((one) => released(String(one.data ?? ''))).join(component),
  );
  return [tag, ...elements].join(element) + terminator;
}

const released = (data: string): string => data.replace(/[:+?']/g, '?$&');
