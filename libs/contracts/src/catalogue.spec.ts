import { readdir, readFile } from 'node:fs/promises';
import { EVENTS, eventOfType, TOPICS } from './catalogue.js';
import { checkContract } from './check-contract.js';
import type { EventDefinition } from './define-event.js';
import { fieldsOf, schemaOf } from './fields.js';
import { SERVICES } from './scope.js';

/**
 * Each event as it is on the wire: an example with every field, and the schema of its class. An event that differs from its
 * file changed for everybody who reads it: add an optional field and write it into the file, or make a version of its own.
 */
interface Golden {
  readonly type: string;
  readonly topic: string;
  readonly work: boolean;
  readonly key: string;
  readonly subject: string;
  readonly payload: object;
  readonly schema: object;
}

const FOLDER = new URL('../test/golden/', import.meta.url);
const ALL = EVENTS as unknown as readonly EventDefinition<object>[];

const goldenOf = async (name: string): Promise<Golden> =>
  JSON.parse(await readFile(new URL(`${name}.json`, FOLDER), 'utf8')) as Golden;

describe('the catalogue of events', () => {
  it('has a golden file for each event, and no file besides', async () => {
    const files = await readdir(FOLDER);
    expect(files.sort()).toEqual(ALL.map((event) => `${event.name}.json`).sort());
  });

  it('names each event once, by service and version', () => {
    expect(new Set(ALL.map((event) => event.type)).size).toBe(ALL.length);
    for (const event of ALL) {
      expect(event.type).toBe(`quire.${event.service}.${event.name}.v1`);
      expect(eventOfType(event.type)).toBe(event);
    }
    expect(eventOfType('toString')).toBeUndefined();
  });

  it('gives each topic one service, and either work or facts', () => {
    for (const topic of TOPICS) {
      const events = ALL.filter((event) => event.topic === topic);
      const [service] = new Set(events.map((event) => event.service));
      expect(SERVICES).toContain(service);
      expect(topic).toMatch(new RegExp(`^quire\\.${service ?? ''}\\.[a-z-]+\\.v1$`));
      expect(new Set(events.map((event) => event.work)).size).toBe(1);
    }
  });
});

describe.each(ALL)('$name', (event) => {
  it('is on the wire what its golden file says', async () => {
    const { payload, ...golden } = await goldenOf(event.name);
    const { type, topic, work } = event;
    const [key, subject] = [event.key(payload), event.subject(payload)];
    expect({ type, topic, work, key, subject, schema: schemaOf(event.payload) }).toEqual(golden);
  });

  it('is understood with every field, and leaves none out', async () => {
    const { payload } = await goldenOf(event.name);
    const checked = checkContract(event.payload, payload);
    expect('violations' in checked ? checked.violations : { ...checked.value }).toEqual(payload);
    expect(Object.keys(payload)).toEqual(fieldsOf(event.payload).map((field) => field.name));
  });

  it('is understood as an older sender wrote it, without what is optional', async () => {
    const { payload } = await goldenOf(event.name);
    const sent: Record<string, unknown> = { ...payload };
    for (const { name, optional } of fieldsOf(event.payload))
      if (optional) Reflect.deleteProperty(sent, name);
    expect(checkContract(event.payload, sent)).not.toHaveProperty('violations');
  });

  it('is understood as a newer sender will write it, with more', async () => {
    const { payload } = await goldenOf(event.name);
    const sent = { ...payload, comesLater: { whatever: 1 } };
    expect(checkContract(event.payload, sent, { ignoreUnknown: true })).toEqual({ value: payload });
  });

  it('says whose it is, and about a job which version of it', () => {
    const fields = fieldsOf(event.payload);
    const names = fields.map((field) => field.name);
    expect(fields.find((field) => field.name === 'tenantId')?.optional).toBeFalsy();
    expect(names).toContain('tenantId');
    expect(names.includes('jobExecutionId')).toBe(names.includes('jobVersion'));
  });
});
