import { createHash } from 'node:crypto';
import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidText, uuidV5 } from '@quire/contracts/ids';
import { openStored, find999ff } from '@quire/marc/iso2709/stored';
import { marcRecord, type FieldSketch } from '@quire/testing/marc';
import { chunkOf, idOf } from '../../test/chunk-source.js';
import { externalKey, NOTHING_STORED, type StoredIds } from '../domain/identity.js';
import { cut } from '../domain/title.js';
import { ChunkFrames } from './chunk-frames.js';
import { readChunk } from './read-chunk.js';
import { readClaims } from './read-claims.js';

const title = ['245', '10', { a: 'The nod :', b: 'a novel' }] as const;
const bib = (number: string, ...more: readonly FieldSketch[]): Buffer =>
  marcRecord({ fields: [['001', number], ['003', 'OCoLC'], title, ...more] });
const holdings = (number: string, parent: string): Buffer =>
  marcRecord({
    leader: '00000nx  a2200000zi 4500',
    fields: [
      ['001', number],
      ['004', parent],
    ],
  });
const ff = (subfields: Record<string, string>): FieldSketch => ['999', 'ff', subfields];

const S = 'a1e0b9f0-3b0f-4f5e-9a29-0b1c4b0c8e11';
const I = 'b2e0b9f0-3b0f-4f5e-9a29-0b1c4b0c8e22';

function chunkFor(
  frames: readonly Buffer[],
  options: Partial<ChunkReadyPayload['options']> = {},
  profile: Partial<ChunkReadyPayload['profile']> = {},
): { bytes: Buffer; chunk: ChunkReadyPayload } {
  const chunk = chunkOf(frames, { offset: 5000, firstOrder: 40, options, profile });
  return { bytes: Buffer.concat(frames), chunk };
}

describe('the rows of a chunk', () => {
  it('have ids derived from job and order, so that work done again meets its own rows', () => {
    const { bytes, chunk } = chunkFor([bib('x1'), bib('x2')]);
    const { rows } = readChunk(bytes, chunk);
    const id = uuidV5(idOf('job'), 'file:41');
    expect(uuidText(rows.ids[1]!)).toBe(id);
    expect(uuidText(rows.matchedIds[1]!)).toBe(id);
    expect(uuidText(rows.externalIds[1]!)).toBe(uuidV5(id, 'instance'));
    expect(rows.generations).toEqual([0, 0]);
  });

  it('stand where they stood in the original file when they were copied out of it to be tried again', () => {
    const { bytes, chunk } = chunkFor([bib('x1'), Buffer.from('x\x1d'), bib('x3')]);
    const { rows, errors } = readChunk(bytes, { ...chunk, origins: [700, 20_000, 90_000] });
    expect(rows.offsets).toEqual([700, 90_000]);
    expect(errors.map(({ at }) => at)).toEqual([20_000]);
  });

  it('have the facts of the record and where its bytes stood', () => {
    const frame = bib('x1');
    const { bytes, chunk } = chunkFor([bib('x0'), frame]);
    const { rows } = readChunk(bytes, chunk);
    expect({
      type: rows.types[1],
      hrid: rows.hrids[1],
      source: rows.sources[1],
      order: rows.orders[1],
      status: rows.statuses[1],
      title: rows.titles[1],
      at: rows.offsets[1],
      length: rows.lengths[1],
      hash: rows.hashes[1],
    }).toEqual({
      type: 'MARC_BIB',
      hrid: 'x1',
      source: 'OCoLC',
      order: 41,
      status: 'n',
      title: 'The nod : a novel',
      at: 5000 + bytes.length - frame.length,
      length: frame.length,
      hash: createHash('sha256').update(frame).digest(),
    });
  });

  it('keep a frame in stored form byte for byte apart from the 999 ff that comes last', () => {
    const frame = bib('x1', ['999', '  ', { a: 'an ordinary field' }]);
    const { bytes, chunk } = chunkFor([frame]);
    const stored = openStored(readChunk(bytes, chunk).rows.contents[0]!);
    expect(stored.tag(stored.fieldCount - 1)).toBe('999');
    const id = uuidV5(idOf('job'), 'file:40');
    expect(find999ff(stored)).toEqual({ count: 1, s: id, i: uuidV5(id, 'instance') });
    expect(stored.body(stored.fieldCount - 2).toString()).toContain('an ordinary field');
    expect(stored.bytes.subarray(stored.start(0), stored.end(2))).toEqual(
      frame.subarray(frame.indexOf('x1'), frame.indexOf('  \u001fa') - 1),
    );
  });

  it('leave out the instance id when the job wants none, and only of bibliographic records', () => {
    const authority = marcRecord({
      leader: '00000nz  a2200000n  4500',
      fields: [
        ['001', ' a1 '],
        ['100', '1 ', { a: 'Lee, Ann' }],
      ],
    });
    const { bytes, chunk } = chunkFor([bib('x1'), authority], { assignInstanceIds: false });
    const { rows } = readChunk(bytes, chunk);
    expect(rows.externalIds[0]).toBeNull();
    expect(find999ff(openStored(rows.contents[0]!)).i).toBeUndefined();
    const id = uuidV5(idOf('job'), 'file:41');
    expect(uuidText(rows.externalIds[1]!)).toBe(uuidV5(id, 'authority'));
    expect(rows.hrids[1]).toBe('a1');
    expect(rows.titles[1]).toBe('Lee, Ann');
  });
});

describe('a frame with something wrong', () => {
  it('is explained with order, offset and code, and stops nothing', () => {
    const broken = Buffer.from('00026nam a2200000 i 4500x\u001d', 'latin1');
    const { bytes, chunk } = chunkFor([bib('x1'), broken, bib('x2')]);
    const { rows, errors, counts } = readChunk(bytes, chunk);
    expect(rows.orders).toEqual([40, 42]);
    expect(errors).toEqual([
      {
        o: 41,
        at: 5000 + bib('x1').length,
        len: broken.length,
        c: 'BASE_ADDRESS',
        field: 'LDR',
      },
    ]);
    expect(counts).toMatchObject({ created: 2, updated: 0, failed: 1, byType: { B: 2 } });
  });

  it('is repaired with a warning, or refused when the job is strict', () => {
    const broken = marcRecord({
      fields: [
        ['001', 'x1'],
        ['245', '10', { a: 'Br?ken' }],
      ],
    });
    broken[broken.indexOf('?')] = 0xff;
    const outcome = (strict: boolean): unknown => {
      const { bytes, chunk } = chunkFor([broken], { strict });
      const { counts, errors } = readChunk(bytes, chunk);
      return [counts.created, counts.warned, errors.map(({ c }) => c)];
    };
    expect(outcome(false)).toEqual([1, 1, []]);
    expect(outcome(true)).toEqual([0, 0, ['ENCODING']]);
  });

  it.each([
    ['RECORD_TYPE', marcRecord({ leader: '00000nqm a2200000 i 4500', fields: [title] }), undefined],
    ['PROFILE_TYPE', holdings('h1', 'x1'), ['MARC_BIB'] as const],
    ['EXISTING_999FF', bib('x1', ff({ i: I })), undefined],
    ['HOLDINGS_004', holdings('h1', 'nowhere'), undefined],
  ])('is %s when it could be read', (code, frame, recordTypes) => {
    const { bytes, chunk } = chunkFor([frame], {}, recordTypes ? { recordTypes } : {});
    const { rows, errors } = readChunk(bytes, chunk);
    expect(rows.count).toBe(0);
    expect(errors).toEqual([expect.objectContaining({ o: 40, c: code })]);
  });

  it('is named by title and number, cut to what an event can carry', () => {
    const long = bib('x1', ff({ s: S }))
      .toString()
      .replace('The nod', 'Ä'.repeat(7));
    const { bytes, chunk } = chunkFor([Buffer.from(long)]);
    const [error] = readChunk(bytes, chunk).errors;
    expect(error).toMatchObject({ c: 'EXISTING_999FF', t: 'B', h: 'x1' });
    expect(cut('ä'.repeat(100), 61)).toBe('ä'.repeat(30));
  });

  it('is STORE when the database refused it before', () => {
    const { bytes, chunk } = chunkFor([bib('x1'), bib('x2')]);
    const { rows, errors } = readChunk(bytes, chunk, { refused: new Set([40]) });
    expect(rows.orders).toEqual([41]);
    expect(errors).toEqual([
      expect.objectContaining({ o: 40, c: 'STORE', n: 'The nod : a novel' }),
    ]);
  });
});

describe('holdings', () => {
  it('belong to a bibliographic record that is stored, or that stood before them in the chunk', () => {
    const { bytes, chunk } = chunkFor([
      holdings('h0', 'x1'),
      bib('x1'),
      holdings('h1', 'x1'),
      holdings('h2', 'x9'),
    ]);
    expect(readClaims(new ChunkFrames(bytes, chunk), chunk)).toMatchObject({
      bibHrids: new Set(['x1', 'x9']),
    });
    const stored = { ...NOTHING_STORED, bibHrids: new Set(['x9']) };
    const { rows, errors } = readChunk(bytes, chunk, { stored });
    expect(rows.hrids).toEqual(['x1', 'h1', 'h2']);
    expect(errors).toEqual([expect.objectContaining({ o: 40, c: 'HOLDINGS_004', field: '004' })]);
  });

  it('ask nothing of the store in a chunk without them', () => {
    const { bytes, chunk } = chunkFor([bib('x1', ff({ s: S }))]);
    expect(readClaims(new ChunkFrames(bytes, chunk), chunk)).toBeUndefined();
  });
});

describe('a 999 ff', () => {
  it('is removed first when the job strips it, with a warning', () => {
    const { bytes, chunk } = chunkFor([bib('x1', ff({ s: 'no id', i: I }))], { on999ff: 'strip' });
    const { rows, counts } = readChunk(bytes, chunk);
    expect(find999ff(openStored(rows.contents[0]!))).toMatchObject({
      count: 1,
      s: uuidText(rows.ids[0]!),
    });
    expect(rows.warnings[0]).toEqual([expect.objectContaining({ code: '999FF_STRIPPED' })]);
    expect(counts).toMatchObject({ created: 1, warned: 1, warnings: { '999FF_STRIPPED': 1 } });
  });

  it('without ids is no obstacle', () => {
    const { bytes, chunk } = chunkFor([bib('x1', ff({ t: '1' }))]);
    expect(readChunk(bytes, chunk).counts).toMatchObject({ created: 1, failed: 0 });
  });

  const accept = { on999ff: 'accept' } as const;
  const current = { id: uuidV5(S, 'current'), type: 'MARC_BIB', deleted: false } as const;
  const stored: StoredIds = {
    ...NOTHING_STORED,
    matchedIds: new Map([[externalKey('MARC_BIB', I), S]]),
    generations: new Map([[S, { generation: 3, externalId: I, current, ofThisJob: false }]]),
  };

  it('that is accepted names the record and its next generation', () => {
    const frames = [bib('x1', ff({ s: S.toUpperCase() })), bib('x2')];
    const { bytes, chunk } = chunkFor(frames, accept);
    expect(readClaims(new ChunkFrames(bytes, chunk), chunk)).toMatchObject({
      matchedIds: new Set([S]),
    });
    const { rows, counts } = readChunk(bytes, chunk, { stored });
    expect(uuidText(rows.matchedIds[0]!)).toBe(S);
    expect(uuidText(rows.externalIds[0]!)).toBe(I);
    expect(rows.generations).toEqual([4, 0]);
    expect(rows.supersededIds).toEqual([uuidV5(S, 'current')]);
    expect(counts).toMatchObject({ created: 1, updated: 1 });
    expect(find999ff(openStored(rows.contents[0]!))).toEqual({ count: 1, s: S, i: I });
  });

  it('that is accepted finds the record by its external id too', () => {
    const { bytes, chunk } = chunkFor([bib('x1', ff({ i: I }))], accept);
    expect(readClaims(new ChunkFrames(bytes, chunk), chunk)?.externalIds).toEqual([
      ['MARC_BIB', I],
    ]);
    const { rows } = readChunk(bytes, chunk, { stored });
    expect(uuidText(rows.matchedIds[0]!)).toBe(S);
    const alone = readChunk(bytes, chunk).rows;
    expect(alone.matchedIds[0]).toEqual(alone.ids[0]);
    expect(uuidText(alone.externalIds[0]!)).toBe(I);
  });

  it('must hold UUIDs to be accepted', () => {
    const frames = [bib('x1', ff({ s: 'x' })), bib('x2', ff({ s: S, i: 'y' }))];
    const { bytes, chunk } = chunkFor(frames, accept);
    const { errors } = readChunk(bytes, chunk);
    expect(errors.map((error) => error.c)).toEqual(['MATCHED_ID', 'EXTERNAL_ID']);
  });

  it('that names the same record twice in one job is a duplicate', () => {
    const { bytes, chunk } = chunkFor([bib('x1', ff({ s: S })), bib('x2', ff({ s: S }))], accept);
    expect(readChunk(bytes, chunk).errors).toEqual([
      expect.objectContaining({ o: 41, c: 'DUPLICATE' }),
    ]);
    const before = { generation: 0, externalId: I, current: undefined, ofThisJob: true };
    const known = { ...NOTHING_STORED, generations: new Map([[S, before]]) };
    expect(readChunk(bytes, chunk, { stored: known }).counts.failed).toBe(2);
  });
});
