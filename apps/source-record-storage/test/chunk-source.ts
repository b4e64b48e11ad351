import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import type { ObjectStore } from '@quire/object-store/object-store';
import { TenantKey } from '@quire/object-store/tenant-key';

/** Chunks as data-import cuts them, for specs and benchmarks: up to 1,000 frames or 4 MiB. */
const CHUNK_FRAMES_MAX = 1000;
const CHUNK_BYTES_MAX = 4_194_304;

export const TENANT = 'library';
export const JOB_ID = '0b7c7a3e-5f4d-4c55-9a70-3d1c2a4e8f11';
export const USER_ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';
export const FILE_ID = '5a6de9c9-9b1e-4b0b-8f4f-1c3a6e1e7d22';

export type ChunkChanges = Partial<ChunkReadyPayload>;

/** `ChunkReady` for frames that stand one after the other from `offset` on. */
export function chunkOf(
  objectKey: string,
  lengths: readonly number[],
  changes: ChunkChanges = {},
): ChunkReadyPayload {
  const jobExecutionId = changes.jobExecutionId ?? JOB_ID;
  const chunkNo = changes.chunkNo ?? 0;
  return {
    tenantId: TENANT,
    jobExecutionId,
    jobVersion: 2,
    chunkId: uuidV5(jobExecutionId, `chunk:${chunkNo}`),
    chunkNo,
    attempt: 1,
    objectKey,
    offset: 0,
    length: lengths.reduce((sum, length) => sum + length, 0),
    format: 'MARC_RAW',
    frames: lengths.flatMap((length) => [0, length]),
    firstOrder: 0,
    count: lengths.length,
    userName: 'ann',
    userId: USER_ID,
    source: { fileDefinitionId: FILE_ID },
    snapshot: {
      status: 'PARSING_IN_PROGRESS',
      processingStartedDate: '2026-11-25T06:00:00.000+00:00',
    },
    profile: {
      id: 'e34d7b92-9b83-11eb-a8b3-0242ac130003',
      name: 'Create records',
      recordTypes: ['MARC_BIB', 'MARC_AUTHORITY', 'MARC_HOLDING'],
      match: 'none',
    },
    options: {
      on999ff: 'reject',
      skipUnchanged: true,
      strict: false,
      assignInstanceIds: true,
      dryRun: false,
    },
    ...changes,
  };
}

export const importKey = (name: string): TenantKey =>
  TenantKey.of('import', TENANT, uuidV5(JOB_ID, name));

/** Stores the records as one file and gives its chunks. */
export async function storeFile(
  store: ObjectStore,
  name: string,
  records: Iterable<Buffer>,
  changes: ChunkChanges = {},
): Promise<ChunkReadyPayload[]> {
  const key = importKey(name);
  const chunks: ChunkReadyPayload[] = [];
  let lengths: number[] = [];
  let [offset, length, firstOrder] = [0, 0, 0];
  const close = (): void => {
    if (lengths.length === 0) return;
    const chunkNo = chunks.length;
    chunks.push(chunkOf(key.toString(), lengths, { ...changes, chunkNo, offset, firstOrder }));
    firstOrder += lengths.length;
    offset += length;
    [lengths, length] = [[], 0];
  };
  async function* bytes(): AsyncGenerator<Buffer> {
    for (const record of records) {
      if (lengths.length === CHUNK_FRAMES_MAX || length + record.length > CHUNK_BYTES_MAX) close();
      lengths.push(record.length);
      length += record.length;
      yield await Promise.resolve(record);
    }
    close();
  }
  await store.put(key, bytes());
  return chunks;
}
