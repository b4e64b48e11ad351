import { uuidBytes } from '@quire/contracts/ids';
import { controlField, dataField, writeRecord, type FieldBytes } from '@quire/marc/iso2709/write';
import type { RecordPlan } from '../domain/record-plan.js';
import { exportSlice, SliceTally, type AnsweredBatch } from './export-slice.js';

const PLAN: RecordPlan = {
  format: 'MARC',
  encoding: 'UTF-8',
  oversize: 'fail',
  idType: 'instance',
  suppressTags: [],
  suppress999ff: false,
  wanted: 'any',
};
const ids = Array.from({ length: 9 }, (_, index) => `0000000${index}-0000-4000-8000-000000000000`);

function record(name: string, more: readonly FieldBytes[] = []): Buffer {
  const fields = [
    controlField('001', name),
    dataField('245', '10', [['a', `Title ${name}`]]),
    ...more,
    dataField('999', 'ff', [['s', name]]),
  ];
  const written = writeRecord('00000nam a2200000 i 4500', fields);
  if (written.failed) throw new Error(written.code);
  return written.bytes;
}

function frame(kind: number, index: number, ...rest: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.alloc(5), ...rest]);
  body[0] = kind;
  body.writeUInt32BE(index, 1);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

const found = (index: number, bytes: Buffer, { flags = 0, duplicates = 0 } = {}): Buffer => {
  const head = Buffer.alloc(35);
  head[0] = flags;
  head.writeUInt16BE(duplicates, 1);
  return frame(1, index, head, bytes);
};

async function run(
  frames: readonly Buffer[],
  {
    plan = PLAN,
    chunkBytes = 1 << 20,
    count = frames.length,
    end = true,
    first = true,
    last = true,
  } = {},
): Promise<{ bytes: Buffer; tally: SliceTally; yields: number[]; oversize: string }> {
  const all = Buffer.concat([...frames, ...(end ? [frame(0, count)] : [])]);
  async function* body(): AsyncGenerator<Buffer> {
    for (let at = 0; at < all.length; at += chunkBytes) yield all.subarray(at, at + chunkBytes);
    await Promise.resolve();
  }
  async function* answers(): AsyncGenerator<AnsweredBatch> {
    const batch = {
      ids: JSON.stringify(ids),
      ordinals: Array.from({ length: count }, (_, index) => 10 * index + 1),
    };
    yield { batch, body: body() };
    await Promise.resolve();
  }
  const tally = new SliceTally();
  const parts: Buffer[] = [];
  let oversize = '';
  const addOversize = async (bytes: Buffer): Promise<void> => {
    oversize += bytes.toString();
    await Promise.resolve();
  };
  for await (const part of exportSlice(answers(), plan, tally, { first, last, addOversize }))
    parts.push(Buffer.from(part));
  return { bytes: Buffer.concat(parts), tally, yields: parts.map((part) => part.length), oversize };
}

describe('the bytes of a slice', () => {
  const [a, b] = [record('a'), record('b')];

  it('are the stored records one after the other, however the answer comes in', async () => {
    for (const chunkBytes of [1, 2, 3, 5, 44, 100, 1 << 20]) {
      const { bytes, tally } = await run([found(0, a), frame(2, 1), found(2, b)], { chunkBytes });
      expect(bytes).toEqual(Buffer.concat([a, b]));
      expect(tally).toMatchObject({ exported: 2, notFound: 1, faulty: 0 });
      expect(tally.outcomes).toEqual([{ ordinal: 11, class: 'NOT_FOUND' }]);
    }
  });

  it('come in pieces of a quarter of a megabyte', async () => {
    const large = record('l', [dataField('500', '  ', [['a', 'x'.repeat(9000)]])]);
    const frames = Array.from({ length: 100 }, (_, index) => found(index, large));
    const { bytes, yields } = await run(frames, { chunkBytes: 65_536 });
    expect(bytes).toEqual(Buffer.concat(Array.from({ length: 100 }, () => large)));
    const full = yields.slice(0, -1);
    expect(full.every((length) => length > 262_144 - large.length && length <= 262_144)).toBe(true);
  });

  it('leave out 999 ff, and tags, as the profile says', async () => {
    const plan = { ...PLAN, suppress999ff: true, suppressTags: ['245'] };
    const { bytes, tally } = await run([found(0, a)], { plan });
    const text = bytes.toString();
    expect(tally.exported).toBe(1);
    expect(text).not.toContain('Title');
    expect(text.slice(0, 5)).toBe(String(bytes.length).padStart(5, '0'));
    expect(bytes.length).toBeLessThan(a.length);
  });

  it('lack a record of which nothing is left, and the line says so', async () => {
    const plan = { ...PLAN, suppress999ff: true, suppressTags: ['001', '245'] };
    const { bytes, tally } = await run([found(0, a)], { plan });
    expect(bytes).toHaveLength(0);
    expect(tally).toMatchObject({ exported: 0, faulty: 1 });
    expect(tally.outcomes[0]?.row?.values[0]).toMatch(/^Json record cannot be converted to marc/);
  });

  it('lack a record that is too long for ISO 2709, at exactly one byte too many', async () => {
    const of = (bytes: number): Buffer => {
      const filler = (length: number) => dataField('500', '  ', [['a', 'x'.repeat(length)]]);
      const nine = Array.from({ length: 10 }, () => filler(9900));
      const rest = bytes - record('t', [...nine, filler(1)]).length + 1;
      return record('t', [...nine, filler(rest)]);
    };
    expect(of(99_999)).toHaveLength(99_999);
    const { bytes, tally } = await run([found(0, of(99_999)), found(1, of(100_000))]);
    expect(bytes).toHaveLength(99_999);
    expect(tally).toMatchObject({ exported: 1, faulty: 1 });
    expect(tally.outcomes[0]?.row).toEqual({
      level: 'ERROR',
      code: 'error.messagePlaceholder',
      values: [
        "Record is too long to be a valid MARC binary record, it's length would be 100000 which is more thatn 99999 bytes",
      ],
      affected: { id: ids[1], hrid: 't', title: 'Title t', recordType: 'INSTANCE' },
    });
  });

  it('lack a record with a field of 10,000 bytes and have one of 9,999', async () => {
    const of = (bytes: number) =>
      record('f', [dataField('500', '  ', [['a', 'x'.repeat(bytes - 5)]])]);
    const { tally } = await run([found(0, of(9_999)), found(1, of(10_000))]);
    expect(tally).toMatchObject({ exported: 1, faulty: 1 });
    expect(tally.outcomes[0]?.row?.values[0]).toMatch(/^Record has field that is too long/);
  });

  it('lack a damaged record, and the others go on', async () => {
    const damaged = Buffer.from(a);
    damaged.write('99999', 0);
    damaged.fill(0x20, 12, 40);
    const { bytes, tally } = await run([found(0, damaged), frame(3, 1), found(2, b)]);
    expect(bytes).toEqual(b);
    expect(tally).toMatchObject({ exported: 1, faulty: 2, notFound: 0 });
    expect(tally.outcomes.map((one) => one.ordinal)).toEqual([1, 11]);
  });

  it('hold the newest of several source records, with a warning', async () => {
    const shared = (index: number) => frame(5, index, ...ids.slice(1, 4).map(uuidBytes));
    const frames = [found(0, a, { duplicates: 2 }), shared(0), found(1, b)];
    const { tally, bytes } = await run(frames, { count: 2 });
    expect(bytes).toEqual(Buffer.concat([a, b]));
    expect(tally).toMatchObject({ exported: 2, sourceDuplicates: 2 });
    expect(tally.outcomes).toEqual([
      {
        ordinal: 1,
        class: 'WARNING',
        row: {
          level: 'WARNING',
          code: 'error.duplicateSRS',
          values: [ids[0], ids.slice(1, 4).join(', ')],
        },
      },
    ]);
    const failed = [found(0, Buffer.from('x'), { duplicates: 2 }), shared(0)];
    expect((await run(failed, { count: 1 })).tally).toMatchObject({
      ...{ exported: 0, faulty: 1, sourceDuplicates: 0 },
      outcomes: [{ class: 'FAULTY' }],
    });
    await expect(run([found(0, a), shared(1)], { count: 1 })).rejects.toThrow('out of order');
  });

  it('hold live authorities or deleted ones, as the profile wants', async () => {
    const frames = [found(0, a), found(1, b, { flags: 1 })];
    const live = await run(frames, { plan: { ...PLAN, idType: 'authority', wanted: 'live' } });
    expect(live.bytes).toEqual(a);
    expect(live.tally.outcomes[0]?.row?.code).toBe('error.setToDeletion');
    const deleted = await run(frames, {
      plan: { ...PLAN, idType: 'authority', wanted: 'deleted' },
    });
    expect(deleted.bytes).toEqual(b);
    expect(deleted.tally.outcomes[0]?.row?.code).toBe('error.onlyForSetToDeletion');
  });

  it('are refused when the answer stops early or leaves an id out', async () => {
    await expect(run([found(0, a)], { end: false })).rejects.toThrow('ended early');
    await expect(run([found(0, a)], { count: 2 })).rejects.toThrow('1 of 2 ids');
    await expect(run([found(1, a)], { count: 1 })).rejects.toThrow('out of order');
    await expect(run([Buffer.from([0, 255, 255, 255, 1])])).rejects.toThrow('is none');
  });

  it('pass untouched where a profile leaves nothing out, however odd their leader is', async () => {
    const odd = Buffer.from(a);
    odd.write('zz', 17);
    expect((await run([found(0, odd)])).bytes).toEqual(odd);
  });

  it('lose delimiters inside control fields, with a warning', async () => {
    const of = (number: string): Buffer => {
      const fields = [controlField('001', number), dataField('245', '10', [['a', 'Title']])];
      const written = writeRecord('00000nam a2200000 i 4500', fields);
      return written.failed ? Buffer.alloc(0) : written.bytes;
    };
    const bad = of('x1y');
    bad[bad.indexOf('x1y') + 1] = 0x1f;
    const { bytes, tally } = await run([found(0, bad)]);
    expect(bytes).toEqual(of('xy'));
    expect(tally).toMatchObject({ exported: 1, faulty: 0 });
    expect(tally.outcomes).toEqual([
      {
        ordinal: 1,
        class: 'WARNING',
        row: {
          level: 'WARNING',
          code: 'error.messagePlaceholder',
          values: ['Control characters inside the data of the record were removed'],
          affected: { id: ids[0], hrid: 'xy', title: 'Title', recordType: 'INSTANCE' },
        },
      },
    ]);
  });
});

describe('the bytes of a slice in another format', () => {
  const [a, b] = [record('a'), record('b')];
  const long = record('l', [dataField('500', '  ', [['a', 'x'.repeat(300_000)]])]);
  const xml = { ...PLAN, format: 'MARCXML' } as const;
  const json = { ...PLAN, format: 'MARC_JSON' } as const;
  const OPEN =
    '<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="http://www.loc.gov/MARC21/slim">\n';

  it('are opened by the first slice of MARCXML and closed by the last', async () => {
    const frames = [found(0, a), found(1, b)];
    const whole = (await run(frames, { plan: xml })).bytes.toString();
    const first = (await run(frames, { plan: xml, last: false })).bytes.toString();
    const middle = (await run(frames, { plan: xml, first: false, last: false })).bytes.toString();
    const last = (await run(frames, { plan: xml, first: false })).bytes.toString();
    expect(whole).toBe(`${OPEN}${middle}</collection>\n`);
    expect(first + last).toBe(`${OPEN}${middle}${middle}</collection>\n`);
    expect(middle.match(/<record>/g)).toHaveLength(2);
  });

  it('are well formed when every record fails', async () => {
    const { bytes, tally } = await run([frame(2, 0), frame(3, 1)], { plan: xml });
    expect(bytes.toString()).toBe(`${OPEN}</collection>\n`);
    expect(tally).toMatchObject({ exported: 0, notFound: 1, faulty: 1 });
  });

  it('are one line of JSON a record', async () => {
    const { bytes } = await run([found(0, a), frame(2, 1), found(2, b)], { plan: json });
    const lines = bytes.toString().trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { fields: object[] }).fields[0])).toEqual([
      { '001': 'a' },
      { '001': 'b' },
    ]);
  });

  it.each([xml, json])('have no limit: %j', async (plan) => {
    const { bytes, tally } = await run([found(0, a), found(1, long), found(2, b)], { plan });
    expect(tally).toMatchObject({ exported: 3, faulty: 0, oversize: 0 });
    const text = bytes.toString();
    expect(text).toContain('x'.repeat(300_000));
    expect(text.indexOf('Title a')).toBeLessThan(text.indexOf('Title l'));
    expect(text.indexOf('Title l')).toBeLessThan(text.indexOf('Title b'));
  });

  it('are MARC-8 when the job wants it, and say so', async () => {
    const plan = { ...PLAN, encoding: 'MARC-8' } as const;
    const stored = record('é', [dataField('500', '  ', [['a', '\u{1f4da}']])]);
    const { bytes, tally } = await run([found(0, stored)], { plan });
    expect(tally).toMatchObject({ exported: 1, outcomes: [] });
    expect(bytes[9]).toBe(0x20);
    expect(bytes.toString('latin1')).toContain('\xe2e');
    expect(bytes.toString('latin1')).toContain('&#x1F4DA;');
    expect(Number(bytes.toString('latin1', 0, 5))).toBe(bytes.length);
  });

  it('are too long in MARC-8 where references make them so', async () => {
    const plan = { ...PLAN, encoding: 'MARC-8' } as const;
    const stored = record('b', [dataField('500', '  ', [['a', '\u{1f4da}'.repeat(1200)]])]);
    expect((await run([found(0, stored)])).tally.exported).toBe(1);
    const { tally } = await run([found(0, stored)], { plan });
    expect(tally).toMatchObject({ exported: 0, faulty: 1 });
    expect(tally.outcomes[0]?.row?.values[0]).toMatch(/^Record has field that is too long/);
  });

  it('leave out what the profile suppresses', async () => {
    const plan = { ...xml, suppress999ff: true, suppressTags: ['001'] };
    const text = (await run([found(0, a)], { plan })).bytes.toString();
    expect(text).toContain('Title a');
    expect(text).not.toMatch(/tag="(001|999)"/);
  });
});

describe('a record that ISO 2709 cannot hold', () => {
  const long = record('l', [dataField('500', '  ', [['a', 'x'.repeat(10_000)]])]);

  it('goes whole into the file beside the output, if the job wants one', async () => {
    const plan = { ...PLAN, oversize: 'sidecar' } as const;
    const { bytes, tally, oversize } = await run([found(0, long), found(1, record('b'))], { plan });
    expect(bytes).toEqual(record('b'));
    expect(oversize).toMatch(/^<record>.*x{10000}.*<\/record>\n$/s);
    expect(tally).toMatchObject({ exported: 2, faulty: 0, oversize: 1 });
    expect(tally.outcomes).toMatchObject([
      { ordinal: 1, class: 'WARNING', row: { level: 'WARNING', code: 'error.messagePlaceholder' } },
    ]);
  });

  it('fits when the profile suppresses what is too long', async () => {
    const plan = { ...PLAN, suppressTags: ['500'] };
    expect((await run([found(0, long)], { plan })).bytes).toEqual(record('l'));
  });
});
