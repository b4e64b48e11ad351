import { JOB_STATUSES } from '@quire/contracts/source-records';
import { chunkOf } from '../../test/chunk-source.js';
import { hasEnded, unsupported } from './chunk-rules.js';

describe('a chunk', () => {
  const chunk = chunkOf([]);

  it('of a kind that cannot be read is named, not misread', () => {
    expect(unsupported(chunk)).toBeUndefined();
    expect(unsupported({ ...chunk, format: 'MARC_XML' })).toBe(
      'Chunks of format MARC_XML cannot be read.',
    );
  });

  it('is saved only while its job runs', () => {
    expect(JOB_STATUSES.filter(hasEnded)).toEqual(['COMMITTED', 'ERROR', 'DISCARDED', 'CANCELLED']);
  });
});
