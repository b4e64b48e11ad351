import { lab, type S3Address } from '@quire/testing/lab/config';
import { objectStoreContract } from './object-store.contract.js';
import { openWatched, settingsOf } from './s3-under-test.js';

const s3 = lab.s3 as S3Address;
const onS3 = lab.s3 ? describe : describe.skip;

onS3(`on ${lab.s3?.engine ?? 'S3'}`, () => {
  objectStoreContract('the S3 store', () => openWatched(settingsOf(s3)));
});
