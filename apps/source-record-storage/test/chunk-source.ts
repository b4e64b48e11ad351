import type { ChunkReadyPayload } from '@quire/contracts/data-import';
import { uuidV5 } from '@quire/contracts/ids';
import type { ObjectStore } from '@quire/object-store/object-store';
import { TenantKey } from '@quire/object-store/tenant-key';

/** Chunks as data-import cuts and describes them, for specs and benchmarks. */
export const TENANT = 'library';
export const OTHER_TENANT = 'archive';
export const USER_ID = '7d3c9a52-0b5e-4f5c-8a53-1f2f7b1d9a10';
export const FILE_ID = '5a6de9c9-9b1e-4b0b-8f4f-1c3a6e1e7d22';
const PROFILE_ID = 'e34d7b92-9b83-11eb-a8b3-0242ac130003';
const NAMES = '0b7c7a3e-5f4d-4c55-9a70-3d1c2a4e8f11';
/** The same name gives the same UUID. */
export const idOf = (name: string): string => uuidV5(NAMES, name);

export interface Sending {
  readonly tenantId?: string;
  /** Name of the job. */
  readonly job?: string;
  readonly chunkNo?: number;
  readonly firstOrder?: number;
  /** Bytes of the file before the chunk. */
  readonly offset?: number;
  readonly changes?: Partial<ChunkReadyPayload>;
  readonly options?: Partial<ChunkReadyPayload['options']>;
  readonly profile?: Partial<ChunkReadyPayload['profile']>;
}

let files = 0;

/** A chunk of a file that consists of these frames, behind `offset` bytes of something else. */
export function chunkOf(frames: readonly Buffer[], sending: Sending = {}): ChunkReadyPayload {
  const { tenantId = TENANT, job = 'job', chunkNo = 0, firstOrder = 0, offset = 0 } = sending;
  const jobExecutionId = idOf(job);
  return {
    tenantId,
    jobExecutionId,
    jobVersion: 2,
    chunkId: uuidV5(jobExecutionId, `chunk:${chunkNo}`),
    chunkNo,
    attempt: 1,
    objectKey: TenantKey.of('import', tenantId, idOf(`file ${(files += 1)}`)).toString(),
    offset,
    length: frames.reduce((sum, frame) => sum + frame.length, 0),
    format: 'MARC_RAW',
    frames: frames.flatMap((frame) => [0, frame.length]),
    firstOrder,
    count: frames.length,
    userName: 'ann',
    userId: USER_ID,
    source: { fileDefinitionId: FILE_ID },
    snapshot: {
      status: 'PARSING_IN_PROGRESS',
      processingStartedDate: '2026-11-25T06:00:00.000+00:00',
    },
    profile: {
      id: PROFILE_ID,
      name: 'Create records',
      recordTypes: ['MARC_BIB', 'MARC_AUTHORITY', 'MARC_HOLDING'],
      match: 'none',
      ...sending.profile,
    },
    options: {
      on999ff: 'reject',
      skipUnchanged: true,
      strict: false,
      assignInstanceIds: true,
      dryRun: false,
      ...sending.options,
    },
    ...sending.changes,
  };
}

const CHUNK_FRAMES_MAX = 1000;
const CHUNK_BYTES_MAX = 4_194_304;

/** Stores the records as one file and gives its chunks, of up to 1,000 frames or 4 MiB. */
export async function storeFile(
  store: ObjectStore,
  records: Iterable<Buffer>,
): Promise<ChunkReadyPayload[]> {
  const objectKey = TenantKey.of('import', TENANT, idOf('whole file')).toString();
  const chunks: ChunkReadyPayload[] = [];
  let frames: Buffer[] = [];
  let [offset, length, firstOrder] = [0, 0, 0];
  const close = (): void => {
    if (frames.length === 0) return;
    const chunkNo = chunks.length;
    chunks.push(chunkOf(frames, { chunkNo, offset, firstOrder, changes: { objectKey } }));
    firstOrder += frames.length;
    offset += length;
    [frames, length] = [[], 0];
  };
  async function* bytes(): AsyncGenerator<Buffer> {
    for (const record of records) {
      if (frames.length === CHUNK_FRAMES_MAX || length + record.length > CHUNK_BYTES_MAX) close();
      frames.push(record);
      length += record.length;
      yield await Promise.resolve(record);
    }
    close();
  }
  await store.put(TenantKey.parse(objectKey), bytes());
  return chunks;
}
