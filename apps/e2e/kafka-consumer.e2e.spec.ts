import { randomBytes } from 'node:crypto';
import { lab } from '@quire/testing/lab/config';
import { generateMarc } from '@quire/testing/marc';
import { AsyncApi } from './src/async-api.js';
import { hasKcat, Kcat, topicsOf, type KafkaMessage } from './src/kcat.js';
import { importEnds, instanceIds, runExport, startImport, until } from './src/steps.js';
import { World, type Person } from './src/world.js';

/*
 * What another system sees of Quire's work: a consumer with a client of its own (kcat), which knows the AsyncAPI document
 * and nothing else, reads every topic that stands in it and holds each message to it.
 */
const HERE = lab.kafka && hasKcat ? describe : describe.skip;
/** Two chunks. */
const RECORDS = 1200;
/** As many tell of the work below. */
const MESSAGES = 13;
const BROKEN = Buffer.from('00026nam a2200025 i 4500\x1e\x1d');

HERE('a consumer that reads the public topics with kcat', () => {
  const brokers = lab.kafka?.brokers ?? [];
  const prefix = `consumer-${randomBytes(4).toString('hex')}.`;
  let opened: AsyncDisposableStack;
  let api: AsyncApi;
  let messages: readonly KafkaMessage[];
  let jobs: { readonly import: string; readonly export: string };

  beforeAll(async () => {
    if (!lab.kafka || !hasKcat) return;
    opened = new AsyncDisposableStack();
    const settings = { KAFKA_BROKERS: brokers.join(','), KAFKA_TOPIC_PREFIX: prefix };
    const world = opened.use(await World.open({ EVENT_BUS: 'kafka', ...settings }));
    api = await AsyncApi.of(world);
    const topics = api.channels.map(({ address }) => prefix + address);
    const consumer = opened.use(new Kcat(brokers, `${prefix}reader`, topics));
    ({ messages } = consumer);
    jobs = await work(await world.as());
    await until(
      () => Promise.resolve(messages.map(nameOf)),
      (names) => names.length >= MESSAGES,
    );
  }, 300_000);

  afterAll(() => opened.disposeAsync(), 60_000);

  const about = (job: string): string[] =>
    messages
      .filter(({ headers }) => headers['ce_subject'] === job)
      .sort((a, b) => a.topic.localeCompare(b.topic) || a.offset - b.offset)
      .map(
        (message) => `${message.topic.slice(prefix.length).split('.')[2] ?? ''} ${told(message)}`,
      );

  it('finds every topic of the AsyncAPI document at the broker, with its partitions', async () => {
    const there = await topicsOf(brokers);
    expect(api.channels.length).toBeGreaterThan(10);
    expect(api.channels.map(({ address }) => [address, there.get(prefix + address)])).toEqual(
      api.channels.map(({ address, bindings }) => [address, bindings.kafka.partitions]),
    );
  });

  it('gets messages whose topic, key, headers and payload are as the AsyncAPI document says', () => {
    const objections = messages.map((message) => ({
      name: nameOf(message),
      wrong: api.objections(message.topic.slice(prefix.length), message),
    }));
    expect(objections.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
  });

  it('is told of an import from its first step to its end, and of every record it saved', () => {
    expect(about(jobs.import)).toEqual([
      'job ImportJobCreated NEW',
      'job ImportJobChanged FILE_UPLOADED',
      'job ImportJobChanged PARSING_IN_PROGRESS',
      'job ImportCompleted ERROR',
      'snapshot SnapshotCreated NEW',
      'snapshot SnapshotChanged FILE_UPLOADED',
      'snapshot SnapshotChanged PARSING_IN_PROGRESS',
      'snapshot SnapshotChanged ERROR',
      'source-record SourceRecordsSaved',
      'source-record SourceRecordsSaved',
    ]);
  });

  it('can follow which event led to which', () => {
    const ids = new Map(messages.map((message) => [message.headers['ce_id'], nameOf(message)]));
    const led = messages
      .filter(
        ({ headers, topic }) =>
          topic.includes('.snapshot.') && headers['ce_subject'] === jobs.import,
      )
      .map(({ headers }) => ids.get(headers['ce_causationid'] ?? ''));
    expect(led).toEqual([
      'ImportJobCreated',
      'ImportJobChanged',
      'ImportJobChanged',
      'ImportCompleted',
    ]);
  });

  it('is told of an export when it starts, when it has ended and when it is deleted', () => {
    expect(about(jobs.export)).toEqual([
      'job ExportRequested',
      'job ExportCompleted COMPLETED_WITH_ERRORS',
      'job ExportDeleted',
    ]);
  });
});

/** An import with a broken record, an export with an unknown id, and the deletion of the export. */
async function work(admin: Person): Promise<{ import: string; export: string }> {
  const file = Buffer.concat([...generateMarc(11, RECORDS), BROKEN]);
  const imported = await importEnds(admin, await startImport(admin, file));
  const ids = await instanceIds(admin, imported.id);
  const exported = await runExport(admin, [...ids, 'no id'].join('\n'));
  const deleted = await admin.send('DELETE', `/data-export/job-executions/${exported.id}`);
  expect(deleted.status).toBe(204);
  return { import: imported.id, export: exported.id };
}

/** `quire.data-import.ImportCompleted.v1` → `ImportCompleted`. */
function nameOf({ headers }: KafkaMessage): string {
  return (headers['ce_type'] ?? '').split('.')[2] ?? '';
}

function told(message: KafkaMessage): string {
  const { status } = JSON.parse(message.payload) as { readonly status?: string };
  return [nameOf(message), ...(status === undefined ? [] : [status])].join(' ');
}
