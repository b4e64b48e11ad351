import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Tally } from './tally.js';

describe('Tally', () => {
  it('counts and hashes what passes, and passes the same chunks', async () => {
    const chunks = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('twö')];
    const tally = new Tally();
    const passed: Buffer[] = [];
    for await (const chunk of tally.pass<Buffer>(Readable.from(chunks))) passed.push(chunk);
    expect(passed.every((chunk, index) => chunk === chunks[index])).toBe(true);
    expect(tally.bytes).toBe(7);
    expect(tally.sha256()).toEqual(createHash('sha256').update('onetwö').digest());
  });

  it('knows the hash of nothing', () => {
    expect(new Tally().sha256().toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('answers the hash as often as asked, and takes nothing more in after that', () => {
    const tally = new Tally();
    tally.add(Buffer.from('x'));
    expect(tally.sha256()).toEqual(tally.sha256());
    expect(() => tally.add(Buffer.from('y'))).toThrow();
    expect(tally.bytes).toBe(1);
  });
});
