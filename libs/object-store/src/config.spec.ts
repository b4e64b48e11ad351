import { checkContract } from '@quire/contracts/check-contract';
import { S3Settings } from './config.js';

const whole = {
  url: 'https://s3.example.org',
  bucket: 'quire.objects-1',
  region: 'eu-central-1',
  accessKeyId: 'id',
  secretAccessKey: 'secret',
};

describe('S3Settings', () => {
  it('take a server by its address alone, with or without a port', () => {
    for (const url of [whole.url, 'http://127.0.0.1:9000', 'http://minio:9000/'])
      expect(checkContract(S3Settings, { ...whole, url })).toMatchObject({ value: { url } });
  });

  it.each([
    ['url', 's3.example.org'],
    ['url', 'ftp://s3.example.org'],
    ['url', 'https://s3.example.org/bucket'],
    ['url', 'https://s3.example.org?x=1'],
    ['bucket', 'Quire'],
    ['bucket', 'q'],
    ['bucket', 'quire/objects'],
    ['region', undefined],
    ['accessKeyId', undefined],
    ['secretAccessKey', undefined],
  ])('refuse %s %p', (name, value) => {
    expect(checkContract(S3Settings, { ...whole, [name]: value })).toMatchObject({
      violations: [{ parameters: [{ key: name }] }],
    });
  });
});
