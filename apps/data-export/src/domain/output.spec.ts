import { outputOf } from './output.js';

describe('the form of an output', () => {
  it('is the one asked for, else that of the profile and the tenant', () => {
    expect(outputOf({}, 'MARC', 'sidecar')).toEqual({
      format: 'MARC',
      encoding: 'UTF-8',
      oversize: 'sidecar',
    });
    expect(
      outputOf(
        { outputFormat: 'MARC', encoding: 'MARC-8', oversize: 'fail' },
        'MARCXML',
        'sidecar',
      ),
    ).toEqual({ format: 'MARC', encoding: 'MARC-8', oversize: 'fail' });
  });

  it('is UTF-8 and has no limit where the format says so', () => {
    const asked = { encoding: 'MARC-8', oversize: 'sidecar' } as const;
    for (const format of ['MARCXML', 'MARC_JSON'] as const)
      expect(outputOf(asked, format, 'sidecar')).toEqual({
        format,
        encoding: 'UTF-8',
        oversize: 'fail',
      });
  });
});
