import { labSettings, readLab, type Lab } from './config.js';

const whole: Lab = {
  kafka: { engine: 'Kafka 4.4.0', brokers: ['127.0.0.1:9092', '127.0.0.1:9093'] },
  s3: {
    engine: 'MinIO 2026-02-12',
    url: 'http://127.0.0.1:9000',
    region: 'us-east-1',
    bucket: 'quire',
    accessKeyId: 'id',
    secretAccessKey: 'secret',
  },
  engines: 'programs',
};

describe('the settings of the lab', () => {
  it('are read as they were handed over, whole or in part', () => {
    const { kafka, s3, engines } = whole;
    for (const lab of [whole, { kafka }, { s3 }, { kafka, engines }] as Lab[])
      expect(readLab(labSettings(lab))).toEqual(lab);
  });

  it('say nothing without QUIRE_LAB, whatever Quire itself is set to', () => {
    const { QUIRE_LAB, ...rest } = labSettings(whole);
    expect(QUIRE_LAB).toBe('Kafka 4.4.0, MinIO 2026-02-12');
    expect(readLab(rest)).toEqual({});
    expect(readLab({ ...rest, QUIRE_LAB: ' ' })).toEqual({});
  });

  it('tell what is missing of a store', () => {
    const settings = { ...labSettings(whole), S3_BUCKET: '' };
    expect(() => readLab(settings)).toThrow('QUIRE_LAB and S3_URL are set, but S3_BUCKET is not.');
  });

  it('refuse an unknown way of running engines', () => {
    const settings = { ...labSettings(whole), QUIRE_LAB_ENGINES: 'cloud' };
    expect(() => readLab(settings)).toThrow('must be programs or containers, not "cloud"');
  });
});
