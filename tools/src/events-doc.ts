import { EVENTS } from '@quire/contracts/catalogue';
import { keyForm, subjectForm, type EventDefinition } from '@quire/contracts/define-event';
import { fieldsOf, type ContractClass, type FieldType } from '@quire/contracts/fields';
import { SERVICES, type ServiceName } from '@quire/contracts/scope';

/*
 * `docs/events.md` out of the catalogue: what a consumer has to know of each event. Run as a program it prints the page.
 */
const ALL = EVENTS as unknown as readonly EventDefinition<object>[];

export function eventsPage(): string {
  return [
    '# Events',
    '',
    `The ${ALL.length} events of Quire, made from \`libs/contracts/src/catalogue.ts\`. A test fails when this page is not what the`,
    'catalogue says; it names the command that makes it again.',
    '',
    'Each message is a CloudEvent 1.0 in binary mode: `ce_id`, `ce_type` and the other attributes are headers, the payload is',
    'JSON of at most 64 KiB. A message may come twice; `ce_id` is the same then. Messages with one key come in order. Other',
    'systems read them from Kafka (`EVENT_BUS=kafka`); the gateway describes the public ones for them at `/asyncapi.json` (AsyncAPI 3.0).',
    '',
    '**Public** events are for everybody. They change only so that an older reader still understands them: fields may be added,',
    'so ignore those you do not know. **Internal** events are work that one service hands to another; they may change with any',
    'release.',
    '',
    ...READING,
    ...SERVICES.flatMap(sectionOf),
  ].join('\n');
}

/** What kcat prints was printed by it, with longer values cut; a story reads the topics in the same way. */
const READING = [
  '## Reading them',
  '',
  'Any Kafka client does; here `kcat`, as a group of its own that goes on where it stopped. Name the topics with the prefix of the',
  'installation (`KAFKA_TOPIC_PREFIX`); where the broker asks for a login, it needs the right to read them and the group.',
  '',
  '```sh',
  'kcat -b localhost:9092 -G my-reader -X auto.offset.reset=earliest -q -u -J \\',
  '  quire.data-import.job.v1 quire.data-export.job.v1',
  '```',
  '',
  'It prints a message a line: `headers` is a list of names and values in turn, `payload` the text of the JSON.',
  '',
  '```',
  '{"topic":"quire.data-export.job.v1","partition":1,"offset":1,…,"headers":["ce_id","b01029f0-…","ce_time",',
  '"2026-11-30T02:43:53.550+00:00","ce_type","quire.data-export.ExportCompleted.v1","ce_source","/data-export",',
  '"ce_actorid","937bd191-…","ce_subject","e881c20e-…","ce_tenantid","library","content-type","application/json",',
  '"ce_specversion","1.0","ce_correlationid","e881c20e-…"],"key":"library:e881c20e-…","payload":"{\\"tenantId\\":',
  '\\"library\\",\\"jobExecutionId\\":\\"e881c20e-…\\",…,\\"status\\":\\"COMPLETED_WITH_ERRORS\\",\\"exported\\":1200,…}"}',
  '```',
  '',
  'Tell events apart by `ce_type` and leave out those you do not know; remember `ce_id` to act once on what comes twice.',
  '`ce_tenantid` is whose it is, `ce_subject` what it is about, `ce_causationid` the `ce_id` of the event that led to it, if one did.',
  '',
];

function sectionOf(service: ServiceName): string[] {
  const events = ALL.filter((event) => event.service === service);
  if (events.length === 0) return [];
  const topics = [...new Set(events.map((event) => event.topic))];
  return [`## From ${service}`, '', ...topics.flatMap((topic) => topicOf(topic, events)), ''].slice(
    0,
    -1,
  );
}

/** Events of one topic whose payloads are of one class stand together. */
function topicOf(topic: string, all: readonly EventDefinition<object>[]): string[] {
  const events = all.filter((event) => event.topic === topic);
  const [first] = events;
  if (!first) return [];
  const payloads = [...new Set(events.map((event) => event.payload))];
  return [
    `### \`${topic}\``,
    '',
    `${first.work ? 'Internal' : 'Public'}. Key \`${keyForm(first)}\`, subject \`${subjectForm(first)}\`.`,
    '',
    ...payloads.flatMap((payload) =>
      payloadOf(
        payload,
        events.filter((event) => event.payload === payload),
      ),
    ),
  ];
}

function payloadOf(payload: ContractClass, events: readonly EventDefinition<object>[]): string[] {
  const names = events.map(({ name, type }) => `**${name}** (\`${type}\`)`);
  return [
    `${names.join(', ')}:`,
    '',
    '| field | type | |',
    '|---|---|---|',
    ...rowsOf(payload, ''),
    '',
  ];
}

/** Nested fields follow their field, with its name before theirs. */
function rowsOf(contract: ContractClass, path: string): string[] {
  return fieldsOf(contract).flatMap(({ name, type, optional }) => {
    const at = `${path}${name}`;
    const row = `| \`${at}\` | ${typeName(type)} |${optional ? ' may be absent ' : ' '}|`;
    if (type.kind === 'nested') return [row, ...rowsOf(type.type(), `${at}.`)];
    if (type.kind === 'list' && type.of.kind === 'nested')
      return [row, ...rowsOf(type.of.type(), `${at}[].`)];
    return [row];
  });
}

function typeName(type: FieldType): string {
  switch (type.kind) {
    case 'text':
      return type.pattern?.includes('{8}-') ? 'UUID' : 'text';
    case 'enum':
      return type.values.map((value) => `\`${value}\``).join(', ');
    case 'list':
      return `list of ${typeName(type.of)}${type.of.kind === 'enum' ? '' : 's'}`;
    case 'nested':
      return 'object';
    case 'map':
      return 'object of any names';
    case 'date':
      return 'date and time';
    case 'document':
    case 'anything':
      return 'any JSON';
    case 'integer':
    case 'decimal':
    case 'boolean':
    case 'day':
      return type.kind;
  }
}

if (process.argv[1] === import.meta.filename) process.stdout.write(eventsPage());
