import { INTEGER_MAX, TOTAL_RECORDS_MODES } from './paging.js';

/**
 * What the API description says of query parameters: one function per kind, as `fields.ts` has for bodies. A description stands
 * beside what reads the parameter; the story `query-parameters.e2e.spec.ts` holds the two together.
 */
export interface QueryParameter {
  readonly name: string;
  readonly required: boolean;
  readonly description?: string;
  readonly schema: ParameterSchema;
}

/** JSON Schema, as far as parameters need it. */
export interface ParameterSchema {
  readonly type: 'string' | 'integer' | 'boolean' | 'array';
  readonly format?: 'uuid' | 'date-time';
  readonly pattern?: string;
  readonly enum?: string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: string | number | boolean;
  readonly examples?: string[];
  readonly items?: ParameterSchema;
}

interface Told {
  readonly description?: string;
  /** A request without it is refused. */
  readonly required?: boolean;
}

interface ToldWithDefault<T> extends Told {
  readonly default?: T;
}

const parameter = (
  name: string,
  schema: ParameterSchema,
  { required = false, ...told }: Told = {},
): QueryParameter => ({ name, required, ...told, schema });

const withDefault = <T extends string | number | boolean>(value?: T): { default?: T } =>
  value === undefined ? {} : { default: value };

export const aText = (
  name: string,
  {
    pattern,
    example,
    ...told
  }: Told & { readonly pattern?: string; readonly example?: string } = {},
): QueryParameter =>
  parameter(
    name,
    {
      type: 'string',
      ...(pattern === undefined ? {} : { pattern }),
      ...(example === undefined ? {} : { examples: [example] }),
    },
    told,
  );

export const aUuid = (name: string, told?: Told): QueryParameter =>
  parameter(name, { type: 'string', format: 'uuid' }, told);

export const aDate = (name: string, told?: Told): QueryParameter =>
  parameter(name, { type: 'string', format: 'date-time' }, told);

export const aFlag = (
  name: string,
  { default: fallback, ...told }: ToldWithDefault<boolean> = {},
): QueryParameter => parameter(name, { type: 'boolean', ...withDefault(fallback) }, told);

/** Of 0 and more. */
export const anInteger = (
  name: string,
  { default: fallback, ...told }: ToldWithDefault<number> = {},
): QueryParameter =>
  parameter(
    name,
    { type: 'integer', minimum: 0, maximum: INTEGER_MAX, ...withDefault(fallback) },
    told,
  );

export const oneOf = (
  name: string,
  values: readonly string[],
  { default: fallback, ...told }: ToldWithDefault<string> = {},
): QueryParameter =>
  parameter(name, { type: 'string', enum: [...values], ...withDefault(fallback) }, told);

/** The same parameter, any number of times. */
export const many = ({ schema, ...rest }: QueryParameter): QueryParameter => ({
  ...rest,
  schema: { type: 'array', items: schema },
});

/** @param fields that may be asked about */
export const cqlQuery = (fields: readonly string[]): QueryParameter =>
  aText('query', {
    description: `CQL. Fields: ${fields.join(', ')}.`,
    example: 'cql.allRecords=1',
  });

export const LANG: QueryParameter = {
  ...aText('lang', { description: 'Two letters; without effect.' }),
  schema: { type: 'string', pattern: '^[a-zA-Z]{2}$', default: 'en' },
};

export const DRY_RUN = aFlag('dryRun', {
  default: false,
  description: 'Says what would be done, and changes nothing.',
});

export const LINK_TOKEN = aText('t', {
  required: true,
  description: 'The token of the link; who has it needs no other.',
});

/** What `parsePage` reads. */
export const pageParameters = (defaultLimit = 10): readonly QueryParameter[] => [
  anInteger('offset', { default: 0 }),
  anInteger('limit', { default: defaultLimit }),
];

/** What `parsePaging` reads. */
export const pagingParameters = (defaultLimit?: number): readonly QueryParameter[] => [
  ...pageParameters(defaultLimit),
  oneOf('totalRecords', TOTAL_RECORDS_MODES, {
    default: 'auto',
    description: 'How `totalRecords` is found; `none` leaves it out.',
  }),
];
