import type { Metadata } from '@quire/contracts/metadata';
import type {
  ErrorRecord,
  ExternalIdsHolder,
  JobStatus,
  RawRecord,
  StoredRecord,
} from '@quire/contracts/source-records';
import { idOf } from './chunk-source.js';
import type { Answer, Ask, RecordWorld } from './record-world.js';

/** Records and snapshots as clients send them, for the specs of writing. */
export const RECORDS = '/source-storage/records';
const SNAPSHOTS = '/source-storage/snapshots';

export type Json = Readonly<Record<string, unknown>>;
/** A record as it is answered; parts that a record does not have are not looked at by the specs that ask for them. */
export interface Stored extends Omit<StoredRecord, 'parsedRecord'> {
  readonly rawRecord: RawRecord;
  readonly parsedRecord: {
    readonly content: { readonly leader: string; readonly fields: readonly Field[] };
    readonly formattedContent: string;
  };
  readonly errorRecord: ErrorRecord;
  readonly externalIdsHolder: ExternalIdsHolder;
  readonly metadata: Metadata;
}
export type Field = Readonly<Record<string, unknown>>;

/** MARC-in-JSON. A leader that MARC writes the same way, so that content comes back as it was sent. */
export const LEADER = '00000nam a2200000 i 4500';
export const control = (tag: string, text: string): Field => ({ [tag]: text });
export const data = (tag: string, indicators: string, ...subfields: readonly Field[]): Field => ({
  [tag]: { ind1: indicators[0], ind2: indicators[1], subfields },
});
export const ff = (s: string): Field => data('999', 'ff', { s });
export const marc = (...fields: readonly Field[]): Json => ({ leader: LEADER, fields });

/** A bibliographic record that can be saved. @param name its number, and what its instance id is made of */
export function bibBody(name: string, changes: Json = {}, ...more: readonly Field[]): Json {
  const title = data('245', '10', { a: `Title of ${name}` });
  return {
    id: idOf(name),
    snapshotId: idOf('snapshot'),
    matchedId: idOf(name),
    recordType: 'MARC_BIB',
    rawRecord: { content: `raw ${name}` },
    parsedRecord: { content: marc(control('001', name), title, ...more) },
    externalIdsHolder: { instanceId: idOf(`instance ${name}`), instanceHrid: name },
    ...changes,
  };
}

/** Without external ids, as these types may be. */
export function authorityBody(name: string, changes: Json = {}, ...more: readonly Field[]): Json {
  const heading = data('100', '1 ', { a: `Heading ${name}` });
  return {
    id: idOf(name),
    snapshotId: idOf('snapshot'),
    matchedId: idOf(name),
    recordType: 'MARC_AUTHORITY',
    rawRecord: { content: `raw ${name}` },
    parsedRecord: { content: marc(control('001', name), heading, ...more) },
    ...changes,
  };
}

/** A client of {@link RecordWorld}. */
export class RecordClient {
  constructor(readonly world: RecordWorld) {}

  /** Makes or changes the snapshot of this name. */
  async snapshot(
    name = 'snapshot',
    status: JobStatus = 'PARSING_IN_PROGRESS',
    changes: Json = {},
  ): Promise<string> {
    const body = { jobExecutionId: idOf(name), status, ...changes };
    const answer = await this.world.ask('POST', SNAPSHOTS, { body });
    expect(answer.status).toBe(201);
    return idOf(name);
  }

  post(body: object, ask: Ask = {}): Promise<Answer> {
    return this.world.ask('POST', RECORDS, { body, ...ask });
  }

  /** Saves a record that can be saved, and gives it as it is stored. */
  async save(body: object): Promise<Stored> {
    const answer = await this.post(body);
    if (answer.status !== 201) throw new Error(`Not saved, but ${answer.status} ${answer.text}`);
    return answer.json as Stored;
  }

  get(id: string, ask: Ask = {}): Promise<Answer> {
    return this.world.get(`${RECORDS}/${id}`, ask);
  }

  put(target: string, body: object, ask: Ask = {}): Promise<Answer> {
    return this.world.ask('PUT', `${RECORDS}/${target}`, { body, ...ask });
  }
}
