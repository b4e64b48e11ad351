import { LEADER, sound } from '../../test/records.js';
import { toMarcJson } from '../marc-json.js';
import { openStored } from './stored.js';
import { latestTransaction, withStatus } from './status.js';
import { controlField, dataField } from './write.js';

const title = dataField('245', '10', [['a', 'x']]);
const mark = { status: 'd', changed: '20261109150405.6' };

describe('a change of status', () => {
  it('writes leader/05 and 005 and leaves everything else as it is', () => {
    const fields = [
      title,
      controlField('005', 'old'),
      controlField('001', 'in1'),
      controlField('005', 'older'),
    ];
    const changed = withStatus(sound(fields), mark);
    if (changed.failed) throw new Error(changed.code);
    expect(toMarcJson(openStored(changed.bytes)).fields).toEqual([
      { '001': 'in1' },
      { '005': mark.changed },
      { '245': { ind1: '1', ind2: '0', subfields: [{ a: 'x' }] } },
    ]);
    expect(changed.leader[5]).toBe('d');
    expect(changed.leader.slice(17, 20)).toBe(LEADER.slice(17, 20));
  });

  it('keeps a subfield mark in a control field', () => {
    const changed = withStatus(sound([{ tag: '008', body: Buffer.from('a\u001fb') }]), mark);
    expect(changed.failed ? '' : changed.text(1)).toBe('a\u001fb');
  });

  it('is dated in UTC with tenths of a second', () => {
    expect(latestTransaction(new Date('2026-01-02T00:30:00.999+01:00'))).toBe('20260101233000.9');
  });
});
