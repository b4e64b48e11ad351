import { uuidText } from '@quire/contracts/ids';
import { ID_BATCH, readIdList } from './read-id-list.js';
import { IncompleteAnswer } from './record-frames.js';

const A = '0b5e0a86-1d5f-4ac1-9a0e-3c9d4c0a0001';
const B = '0b5e0a86-1d5f-4ac1-9a0e-3c9d4c0a0002';

async function* inPieces(text: string, bytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += bytes)
    yield await Promise.resolve(Buffer.from(text.slice(at, at + bytes)));
}

async function idsOf(text: string, bytes = 7): Promise<string[]> {
  const ids: string[] = [];
  for await (const batch of readIdList(inPieces(text, bytes))) ids.push(...batch.map(uuidText));
  return ids;
}

describe('a list of ids', () => {
  it.each([
    [`{"ids":[{"id":"${A}"},{"id":"${B}"}],"totalRecords":2}`, [A, B]],
    [`{"records":["${B}","${A}"],"totalCount":2}`, [B, A]],
    [`{"ids":[],"totalRecords":0}`, []],
    [` { "ids" : [ { "id" : "${A}" } ] , "totalRecords" : 1 } \n`, [A]],
  ])('is read from %s', async (text, ids) => {
    for (const bytes of [1, 7, 36, 1000]) expect(await idsOf(text, bytes)).toEqual(ids);
  });

  it.each([
    ['nothing', ''],
    ['the end inside an id', `{"ids":[{"id":"${A.slice(0, 20)}`],
    ['the end after an id', `{"ids":[{"id":"${A}"}`],
    ['the end before the number', `{"ids":[{"id":"${A}"}],"totalRecords":`],
    ['fewer ids than were counted', `{"ids":[{"id":"${A}"}],"totalRecords":2}`],
    ['a string that never ends', `{"ids":["${'x'.repeat(100_000)}`],
    ['a page of HTML', `<html>${' '.repeat(1000)}</html>`],
  ])('is incomplete with %s', async (_, text) => {
    await expect(idsOf(text, 1000)).rejects.toThrow(IncompleteAnswer);
  });

  it('comes in batches', async () => {
    const ids = Array.from({ length: ID_BATCH + 1 }, () => `{"id":"${A}"}`);
    const sizes: number[] = [];
    const text = `{"ids":[${ids.join(',')}],"totalRecords":${ids.length}}`;
    for await (const batch of readIdList(inPieces(text, 65_536))) sizes.push(batch.length);
    expect(sizes).toEqual([ID_BATCH, 1]);
  });
});
