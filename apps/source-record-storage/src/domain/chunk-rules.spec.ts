import { JOB_STATUSES } from '@quire/contracts/source-records';
import { chunkOf } from '../../test/chunk-source.js';
import { hasEnded, unsupported } from './chunk-rules.js';

describe('a chunk', () => {
  const chunk = chunkOf([]);

  it('of a kind that cannot be read is named, not misread', () => {
    for (const format of ['MARC_RAW', 'MARC_XML', 'MARC_JSON'] as const)
      expect(unsupported({ ...chunk, format })).toBeUndefined();
    expect(unsupported({ ...chunk, format: 'BATCH' })).toBe(
      'Chunks of format BATCH cannot be read.',
    );
  });

  it('is saved only while its job runs', () => {
    expect(JOB_STATUSES.filter(hasEnded)).toEqual(['COMMITTED', 'ERROR', 'DISCARDED', 'CANCELLED']);
  });
});
