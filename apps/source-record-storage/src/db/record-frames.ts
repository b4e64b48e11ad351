import { Injectable } from '@nestjs/common';
import type { TenantRead } from '@quire/postgres/tenant';
import { marcBytesOf } from '../domain/stored-content.js';
import {
  conditionOf,
  CONTENT,
  CURRENT,
  DELETED_SQL,
  newestOf,
  type IdLookup,
} from './record-reads.js';

/**
 * Records by lists of ids as length-prefixed frames with the stored bytes (section 6), for exports. Postgres puts them
 * together, so that no row passes through this process.
 *
 * Content that is kept in another form than ISO 2709 must become that first. It is so rare that the answer of Postgres begins
 * with the number of such records; only where it is not zero are the frames looked at here.
 */
export interface FrameRules extends IdLookup {
  /** Behind a record that is not the only one of its external id, a frame of kind 5 names them all. */
  readonly duplicateIds: boolean;
}

/** Most records of one id that a frame can count. */
const DUPLICATES_MAX = 32_767;
/** Matched ids that one frame of kind 5 names at most. */
const NAMED_DUPLICATES_MAX = 100;
const NO_ID = '00000000-0000-0000-0000-000000000000';

@Injectable()
export class RecordFrames {
  /**
   * The frames of a list of ids, in its order, in pieces.
   *
   * @param first index of the first id in the whole request
   */
  async *frames(
    tx: TenantRead,
    { duplicateIds, ...lookup }: FrameRules,
    ids: readonly (string | null)[],
    first: number,
  ): AsyncGenerator<Buffer> {
    const { condition, recordType } = conditionOf(lookup);
    const text = framesText(condition, duplicateIds ? idsFrame(condition) : '');
    const pieces = tx.bytes(text, [tx.tenantId, recordType, ids, first]);
    try {
      const head = await headOf(pieces);
      const frames = head.subarray(NUMBER_BYTES);
      if (head.readUInt32BE(0) > 0) yield* converted(await joined(frames, pieces));
      else {
        yield frames;
        yield* pieces;
      }
    } finally {
      await pieces.return(undefined);
    }
  }
}

/** Kind 5: index of the id, then 16 bytes per matched id, the newest record first. */
const idsFrame = (condition: string): string => `
        || case when r.others = 0 then ''::bytea else (
          select int4send(5 + octet_length(d.ids)) || '\\x05'::bytea || int4send($4 + at.n) || d.ids from (
            select string_agg(uuid_send(f.matched_id), ''::bytea order by f.updated_at desc, f.id desc) as ids from (
              select f.* from record f where f.tenant_id = $1 and ${condition} and ${CURRENT} and f.parsed
              order by f.updated_at desc, f.id desc limit ${NAMED_DUPLICATES_MAX}) as f) as d) end`;

/** Kind 6 never leaves this file: as kind 1, with JSON instead of ISO 2709. EDIFACT is no content for an export. */
const framesText = (condition: string, more: string): string => `
  select int4send(count(*) filter (where r.parsed and c.form = 'JSON')::int4) || string_agg(
    case
      when q.id is null then int4send(5) || '\\x04'::bytea || int4send($4 + at.n)
      when r.id is null then int4send(5) || '\\x02'::bytea || int4send($4 + at.n)
      when not r.parsed or coalesce(c.form, 'TEXT') = 'TEXT' then int4send(5) || '\\x03'::bytea || int4send($4 + at.n)
      else (int4send(40 + octet_length(c.content)) || case c.form when 'ISO2709' then '\\x01'::bytea else '\\x06'::bytea end
        || int4send($4 + at.n)
        || set_byte('\\x00'::bytea, 0, (${DELETED_SQL})::int + 2 * r.suppress_discovery::int)
        || int2send(least(r.others, ${DUPLICATES_MAX})::int2) || uuid_send(r.matched_id)
        || uuid_send(coalesce(r.external_id, '${NO_ID}'))) || c.content${more}
    end, ''::bytea order by at.n) as frames ${newestOf(condition, CURRENT)} ${CONTENT}`;

const NUMBER_BYTES = 4;

/** The beginning of the answer, with the whole number in it. */
async function headOf(pieces: AsyncGenerator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < NUMBER_BYTES) {
    const piece: IteratorResult<Buffer, unknown> = await pieces.next();
    if (piece.done) throw new Error('The answer has no frames.');
    head = await joined(head, [piece.value]);
  }
  return head;
}

async function joined(
  head: Buffer,
  rest: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<Buffer> {
  const parts = [head];
  for await (const part of rest) parts.push(part);
  // eslint-disable-next-line no-restricted-properties -- the frames of one batch of ids
  return Buffer.concat(parts);
}

const FOUND = 1;
const NO_CONTENT = 3;
const JSON_FORM = 6;
/** Length, kind and index. */
const HEAD_BYTES = 9;
/** Those, flags, duplicates and both ids. */
const FOUND_BYTES = 44;

/** Frames as they leave: content in another form as ISO 2709, or none where it cannot become that. */
function* converted(frames: Buffer): Generator<Buffer> {
  for (let at = 0; at < frames.length;) {
    const frame = frames.subarray(at, at + 4 + frames.readUInt32BE(at));
    if (frame.readUInt8(4) !== JSON_FORM) yield frame;
    else yield* convertedFrame(frame);
    at += frame.length;
  }
}

function* convertedFrame(frame: Buffer): Generator<Buffer> {
  const marc = marcBytesOf({ form: 'JSON', bytes: frame.subarray(FOUND_BYTES) });
  const head = Buffer.from(frame.subarray(0, marc ? FOUND_BYTES : HEAD_BYTES));
  head.writeUInt32BE(head.length - 4 + (marc?.length ?? 0));
  head.writeUInt8(marc ? FOUND : NO_CONTENT, 4);
  yield head;
  if (marc) yield marc;
}
