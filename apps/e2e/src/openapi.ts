/** What the stories read of `GET /openapi.json`. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, ApiSchema>> };
}

export interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly ApiParameter[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema?: ApiSchema }>>;
  };
}

export interface ApiParameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: ApiSchema;
}

export interface ApiSchema {
  readonly $ref?: string;
  readonly allOf?: readonly ApiSchema[];
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly default?: unknown;
  readonly examples?: readonly string[];
  readonly items?: ApiSchema;
  readonly properties?: Readonly<Record<string, ApiSchema>>;
  readonly required?: readonly string[];
}

/** @param path as in the routes: `/data-export/job-executions/:id` */
export const operationOf = (api: OpenApi, method: string, path: string): Operation | undefined =>
  api.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];

export const queryParametersOf = (operation: Operation | undefined): readonly ApiParameter[] =>
  (operation?.parameters ?? []).filter((one) => one.in === 'query');

export const UNKNOWN_ID = '11111111-1111-4111-8111-111111111111';

/** The smallest value that a schema takes. */
export function sampleOf(api: OpenApi, schema: ApiSchema): unknown {
  const { $ref, allOf, default: fallback, enum: values, examples } = schema;
  const referred =
    $ref === undefined ? allOf?.[0] : api.components.schemas[$ref.replace(/^.*\//, '')];
  if (referred) return sampleOf(api, referred);
  if (fallback !== undefined) return fallback;
  const [known] = values ?? examples ?? [];
  if (known !== undefined) return known;
  switch (schema.type ?? '') {
    case 'object': {
      const { properties = {}, required = [] } = schema;
      return Object.fromEntries(
        required.map((name) => [name, sampleOf(api, properties[name] ?? {})]),
      );
    }
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => sampleOf(api, schema.items ?? {}));
    case 'integer':
    case 'number':
      return schema.minimum ?? 0;
    case 'boolean':
      return false;
    default:
      return textOf(schema);
  }
}

function textOf({ format, pattern = '' }: ApiSchema): string {
  if (format === 'date-time') return '2026-01-31T00:00:00Z';
  return format === 'uuid' || pattern.includes('{12}') ? UNKNOWN_ID : 'x';
}

/** A text that the schema of a parameter does not allow; undefined where it allows every text. */
export function wrongFor({ items, ...whole }: ApiSchema): string | undefined {
  const { type, enum: values, format, pattern, maximum = 0 } = items ?? whole;
  if (type === 'integer') return String(maximum + 1);
  const bound = type === 'boolean' || values !== undefined || (format ?? pattern) !== undefined;
  return bound ? 'no such value' : undefined;
}
