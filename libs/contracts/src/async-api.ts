import { EVENTS } from './catalogue.js';
import { keyForm, type EventDefinition } from './define-event.js';
import { EVENT_EXAMPLES } from './event-examples.js';
import { FINANCE_ENTITIES } from './finance-events.js';
import { fieldsOf, schemaOf, type ContractClass, type FieldType } from './fields.js';

/**
 * The AsyncAPI 3.0 description of the events that other systems may read, made from the catalogue. Topics of work are left
 * out: they may change with any release.
 */
type Json = Readonly<Record<string, unknown>>;

/** As `KAFKA_PARTITIONS` says when nobody sets it. */
const PARTITIONS = 6;
const BINDING = '0.5.0';
const JSON_TYPE = 'application/json';

export const PUBLIC_EVENTS: readonly EventDefinition<object>[] = (
  EVENTS as unknown as readonly EventDefinition<object>[]
).filter((event) => !event.work);

export function asyncApi(): Json {
  const topics = [...new Set(PUBLIC_EVENTS.map((event) => event.topic))];
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Quire events',
      version: '0.1.0',
      description:
        'Facts that the services of Quire tell. Each message is a CloudEvent 1.0 in binary mode with a payload of at most 64 KiB. ' +
        'A message may come twice, with the same ce_id; messages with one key come in order. Fields may be added at any time: ' +
        'ignore those you do not know.',
    },
    defaultContentType: JSON_TYPE,
    servers: { kafka: KAFKA },
    channels: Object.fromEntries(topics.map((topic) => [topic, channelOf(topic)])),
    operations: Object.fromEntries(
      PUBLIC_EVENTS.map((event) => [`send${event.name}`, sendOf(event)]),
    ),
    components: {
      messages: Object.fromEntries(PUBLIC_EVENTS.map((event) => [event.name, messageOf(event)])),
      schemas: { CloudEvent: CLOUD_EVENT },
    },
  };
}

const KAFKA: Json = {
  host: '{host}:{port}',
  protocol: 'kafka',
  description: 'The brokers of the installation, as its KAFKA_BROKERS names them.',
  variables: { host: { default: 'localhost' }, port: { default: '9092' } },
};

function channelOf(topic: string): Json {
  const events = PUBLIC_EVENTS.filter((event) => event.topic === topic);
  return {
    address: topic,
    description:
      'The topic, behind the prefix of the installation if it has one. Dead letters are in the topic of this name with .dlq behind it.',
    messages: Object.fromEntries(
      events.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }]),
    ),
    bindings: { kafka: { topic, partitions: PARTITIONS, bindingVersion: BINDING } },
  };
}

function sendOf({ name, topic, service }: EventDefinition<object>): Json {
  return {
    action: 'send',
    channel: { $ref: `#/channels/${topic}` },
    summary: `${service} tells that ${SUMMARIES[name] ?? ''}.`,
    messages: [{ $ref: `#/channels/${topic}/messages/${name}` }],
  };
}

function messageOf(event: EventDefinition<object>): Json {
  const { name, type, service, payload } = event;
  return {
    name: type,
    title: name,
    summary: SUMMARIES[name],
    contentType: JSON_TYPE,
    headers: {
      allOf: [
        { $ref: '#/components/schemas/CloudEvent' },
        {
          type: 'object',
          properties: { ce_type: { const: type }, ce_source: { const: `/${service}` } },
        },
      ],
    },
    payload: payloadOf(payload),
    bindings: {
      kafka: {
        key: { type: 'string', description: keyForm(event) },
        bindingVersion: BINDING,
      },
    },
    examples: [{ name: 'every-field', payload: EVENT_EXAMPLES[name] }],
  };
}

/** The schema of the class as a reader may rely on it: with what its fields say of themselves, and open for those to come. */
function payloadOf(contract: ContractClass): Json {
  const { required, properties } = schemaOf(contract) as { required?: string[]; properties: Json };
  const described = fieldsOf(contract).map(({ name, type, description }) => [
    name,
    {
      ...valueOf(type, properties[name] as Json),
      ...(description === undefined ? {} : { description }),
    },
  ]);
  return {
    type: 'object',
    properties: Object.fromEntries(described) as Json,
    ...(required ? { required } : {}),
  };
}

function valueOf(type: FieldType, schema: Json): Json {
  if (type.kind === 'nested') return payloadOf(type.type());
  if (type.kind === 'list' && type.of.kind === 'nested')
    return { ...schema, items: payloadOf(type.of.type()) };
  return schema;
}

const text = (description: string, more: Json = {}): Json => ({
  type: 'string',
  description,
  ...more,
});

/** Kafka headers are bytes: each is its text in UTF-8. */
const CLOUD_EVENT: Json = {
  type: 'object',
  required: [
    'ce_specversion',
    'ce_id',
    'ce_source',
    'ce_type',
    'ce_subject',
    'ce_time',
    'ce_tenantid',
    'content-type',
  ],
  properties: {
    ce_specversion: { const: '1.0' },
    ce_id: text('The same when the event comes again.', { format: 'uuid' }),
    ce_source: text('The service that tells it.'),
    ce_type: text('Which event it is, in which version.'),
    ce_subject: text('What it is about: a job execution, or the thing itself.'),
    ce_time: text('When it was told.', { format: 'date-time' }),
    ce_tenantid: text('Whose it is. The same as in the payload.'),
    ce_correlationid: text('The same for all events of one chain of work.'),
    ce_causationid: text('Id of the event that led to this one, where one did.', {
      format: 'uuid',
    }),
    ce_actorid: text('Id of the user in whose name it happened.'),
    'content-type': { const: JSON_TYPE },
  },
};

const SUMMARIES: Readonly<Record<string, string>> = {
  ExportRequested: 'an export job was started',
  ExportCompleted: 'an export job has ended, in whatever way',
  ExportDeleted: 'an export job and its files were deleted',
  ImportJobCreated: 'an import job was made for a file',
  ImportJobChanged: 'an import job has another status',
  ImportCompleted: 'an import job has ended, with what it saved',
  ImportCancelled: 'an import job was stopped by a user',
  ImportUndoRequested: 'what an import job has saved is to be taken back',
  SnapshotCreated: 'a snapshot was made',
  SnapshotChanged: 'a snapshot has another status',
  SnapshotUndone: 'what a snapshot has saved was taken back',
  SnapshotDeleted: 'a snapshot was deleted with its records',
  SourceRecordsSaved: 'records were created or updated',
  SourceRecordsDeleted: 'records were deleted',
  ...Object.fromEntries(
    FINANCE_ENTITIES.flatMap((entity) =>
      (['Created', 'Updated', 'Deleted'] as const).map((change) => [
        `${entity}${change}`,
        `a ${words(entity)} was ${change.toLowerCase()}`,
      ]),
    ),
  ),
};

/** `GroupFundFiscalYear` → `group fund fiscal year`. */
function words(name: string): string {
  return name.replace(/(?!^)[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();
}
