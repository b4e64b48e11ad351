import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { KafkaMessage } from './kcat.js';
import type { Site } from './world.js';

interface Ref {
  readonly $ref: string;
}
interface Channel {
  readonly address: string;
  readonly messages: Readonly<Record<string, Ref>>;
  readonly bindings: { readonly kafka: { readonly partitions: number } };
}
interface Message {
  readonly name: string;
  readonly contentType: string;
  readonly bindings: { readonly kafka: { readonly key: { readonly description: string } } };
}
interface Document {
  readonly channels: Readonly<Record<string, Channel>>;
  readonly components: {
    readonly schemas: { readonly CloudEvent: { readonly properties: object } };
  };
}
interface Described extends Message {
  readonly takesHeaders: ValidateFunction;
  readonly takesPayload: ValidateFunction;
}

const DOCUMENT = 'asyncapi.json';

/** The AsyncAPI document that a door serves, read as somebody who has nothing else. */
export class AsyncApi {
  private readonly ajv = addFormats.default(new Ajv({ strict: false, allErrors: true }));
  private readonly messages: ReadonlyMap<string, readonly Described[]>;
  private readonly headerNames: ReadonlySet<string>;

  private constructor(private readonly document: Document) {
    this.ajv.addSchema(document, DOCUMENT);
    this.headerNames = new Set(Object.keys(document.components.schemas.CloudEvent.properties));
    this.messages = new Map(
      this.channels.map(({ address, messages }) => [
        address,
        Object.values(messages).map((ref) => this.described(ref)),
      ]),
    );
  }

  static async of(site: Site): Promise<AsyncApi> {
    const { json } = await site.send('GET', '/asyncapi.json');
    return new AsyncApi(json as Document);
  }

  get channels(): readonly Channel[] {
    return Object.values(this.document.channels);
  }

  /** What the document does not allow of a message of this topic, in words; nothing: it is as described. */
  objections(topic: string, message: KafkaMessage): readonly string[] {
    const { headers, key } = message;
    const described = this.messages.get(topic)?.find(({ name }) => name === headers['ce_type']);
    if (!described) return [`${topic} has no message ${headers['ce_type'] ?? 'without ce_type'}`];
    const payload = JSON.parse(message.payload) as Readonly<Record<string, unknown>>;
    const wanted = described.bindings.kafka.key.description.replaceAll(
      /<(\w+)>/g,
      (_, name: string) => String(payload[name]),
    );
    return [
      ...wrong('headers', described.takesHeaders, headers),
      ...wrong('payload', described.takesPayload, payload),
      ...Object.keys(headers)
        .filter((name) => !this.headerNames.has(name))
        .map((name) => `the header ${name} is not described`),
      ...(key === wanted ? [] : [`the key is ${key}, not ${wanted}`]),
      ...(headers['content-type'] === described.contentType ? [] : ['another content type']),
    ];
  }

  private described({ $ref }: Ref): Described {
    const message = $ref
      .slice('#/'.length)
      .split('/')
      .reduce<unknown>(
        (at, part) => (at as Readonly<Record<string, unknown>>)[part],
        this.document,
      ) as Message;
    const schema = (part: string): ValidateFunction =>
      this.ajv.compile({ $ref: `${DOCUMENT}${$ref}/${part}` });
    return { ...message, takesHeaders: schema('headers'), takesPayload: schema('payload') };
  }
}

function wrong(part: string, takes: ValidateFunction, value: unknown): readonly string[] {
  return takes(value)
    ? []
    : (takes.errors ?? []).map(
        ({ instancePath, message }) => `${part}${instancePath} ${message ?? ''}`,
      );
}
