import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { asyncApi } from './async-api.js';
import { EVENTS } from './catalogue.js';
import { keyForm, type EventDefinition } from './define-event.js';
import { EVENT_EXAMPLES } from './event-examples.js';

const ALL = EVENTS as unknown as readonly EventDefinition<object>[];
const PUBLIC = ALL.filter((event) => !event.work);
const OFFICIAL = createRequire(import.meta.url)(
  '@asyncapi/specs/schemas/3.0.0-without-$id.json',
) as object;

interface Message {
  readonly name: string;
  readonly summary: string;
  readonly payload: object;
  readonly headers: { readonly allOf: readonly [object, object] };
  readonly bindings: { readonly kafka: { readonly key: { readonly description: string } } };
  readonly examples: readonly { readonly payload: object }[];
}
interface Api {
  readonly channels: Readonly<Record<string, { address: string; messages: object }>>;
  readonly operations: Readonly<Record<string, { channel: { $ref: string }; summary: string }>>;
  readonly components: {
    readonly messages: Readonly<Record<string, Message>>;
    readonly schemas: { readonly CloudEvent: object };
  };
}

const api = JSON.parse(JSON.stringify(asyncApi())) as Api;
const ajv = addFormats.default(new Ajv({ strict: false, allErrors: true }));
const errorsOf = (validate: ValidateFunction, value: unknown): unknown =>
  validate(value) ? [] : validate.errors;

const goldenOf = async (name: string): Promise<{ payload: object }> =>
  JSON.parse(await readFile(new URL(`../test/golden/${name}.json`, import.meta.url), 'utf8')) as {
    payload: object;
  };

describe('the AsyncAPI description', () => {
  it('keeps to the official schema of AsyncAPI 3.0', () => {
    const validate = ajv.compile(OFFICIAL);
    expect(errorsOf(validate, api)).toEqual([]);
    expect(errorsOf(validate, { ...api, channels: { a: { addres: 'a' } } })).not.toEqual([]);
  });

  it('names every public event and its topic, and nothing else', () => {
    const names = PUBLIC.map((event) => event.name).sort();
    expect(Object.keys(api.components.messages).sort()).toEqual(names);
    expect(Object.keys(api.operations).sort()).toEqual(names.map((name) => `send${name}`));
    expect(Object.keys(api.channels)).toEqual([...new Set(PUBLIC.map((event) => event.topic))]);
    const carried = Object.values(api.channels).flatMap(({ messages }) => Object.keys(messages));
    expect(carried.sort()).toEqual(names);
    expect(Object.keys(EVENT_EXAMPLES).sort()).toEqual(names);
  });

  it('refers only to what is there', () => {
    const refs = [...JSON.stringify(api).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      ([, at]) => at ?? '',
    );
    expect(refs.length).toBeGreaterThan(PUBLIC.length);
    for (const ref of refs) {
      const found = ref
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], api);
      expect([ref, typeof found]).toEqual([ref, 'object']);
    }
  });
});

describe.each(PUBLIC)('the message of $name', (event) => {
  const message = api.components.messages[event.name];

  it('has the type, the topic and the key of the event, and says what happened', () => {
    expect(message?.name).toBe(event.type);
    expect(message?.bindings.kafka.key.description).toBe(keyForm(event));
    expect(api.operations[`send${event.name}`]?.channel.$ref).toBe(`#/channels/${event.topic}`);
    expect(message?.summary).toMatch(/^\w+ /);
  });

  it('is exemplified by the golden payload, which satisfies its schema', async () => {
    const { payload } = await goldenOf(event.name);
    expect(message?.examples.map((one) => one.payload)).toEqual([payload]);
    const validate = ajv.compile(message?.payload ?? false);
    expect(errorsOf(validate, payload)).toEqual([]);
    expect(errorsOf(validate, { ...payload, comesLater: 1 })).toEqual([]);
    expect(errorsOf(validate, { ...payload, tenantId: 1 })).not.toEqual([]);
  });

  it('has headers that tell it from the others', () => {
    const validate = ajv.compile({
      allOf: [api.components.schemas.CloudEvent, message?.headers.allOf[1]],
    });
    const headers = {
      ce_specversion: '1.0',
      ce_id: '11111111-1111-4111-8111-111111111111',
      ce_source: `/${event.service}`,
      ce_type: event.type,
      ce_subject: 'x',
      ce_time: '2026-01-02T03:04:05.678+00:00',
      ce_tenantid: 'alma',
      'content-type': 'application/json',
    };
    expect(errorsOf(validate, headers)).toEqual([]);
    expect(errorsOf(validate, { ...headers, ce_type: 'another' })).not.toEqual([]);
  });
});
