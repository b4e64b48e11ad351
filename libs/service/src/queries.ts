import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { notFound, refused, type Failure } from '@quire/contracts/failure';
import { isUuid } from '@quire/contracts/ids';
import {
  INTEGER_MAX,
  parsePaging,
  TOTAL_RECORDS_MODES,
  type Paging,
  type Query,
} from '@quire/contracts/paging';
import type { FastifyRequest } from 'fastify';

/**
 * A query string as conventions, section 8, reads it: `+` is a blank, names in any case, `name[]` means `name`, a repeated
 * one becomes an array. The object has no prototype: `__proto__` is a name like any other.
 */
export function parseQuery(text: string): Query {
  const query = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of new URLSearchParams(text)) {
    const key = name.toLowerCase().replace(/\[\]$/, '');
    const before = query[key];
    if (before === undefined) query[key] = value;
    else if (typeof before === 'string') query[key] = [before, value];
    else before.push(value);
  }
  return query;
}

export function queryOf(request: FastifyRequest): Query {
  return request.query as Query;
}

const requestOf = (context: ExecutionContext): FastifyRequest =>
  context.switchToHttp().getRequest<FastifyRequest>();

/** The parsed query: `@QueryOf() query: Query`. */
export const QueryOf = createParamDecorator((_: unknown, context: ExecutionContext): Query =>
  queryOf(requestOf(context)),
);

const WHOLE = { type: 'integer', minimum: 0, maximum: INTEGER_MAX } as const;
const PAGING_PARAMETERS = [
  ApiQuery({ name: 'offset', required: false, schema: { ...WHOLE, default: 0 } }),
  ApiQuery({ name: 'limit', required: false, schema: { ...WHOLE, default: 10 } }),
  ApiQuery({ name: 'totalRecords', required: false, enum: TOTAL_RECORDS_MODES }),
];

/** Says in the API description what {@link PagingOf} reads. */
const describePaging: ParameterDecorator = (target, key) => {
  const method = key === undefined ? undefined : Object.getOwnPropertyDescriptor(target, key);
  if (key === undefined || !method) return;
  for (const describe of PAGING_PARAMETERS) describe(target, key, method);
};

/** `offset`, `limit` and `totalRecords`, checked: `@PagingOf() paging: Paging`. The argument is the default limit. */
export const PagingOf = createParamDecorator(
  (defaultLimit: number | undefined, context: ExecutionContext): Paging =>
    parsePaging(queryOf(requestOf(context)), defaultLimit),
  [describePaging],
);

const UUID_TEXT =
  'Invalid UUID format of id, should be xxxxxxxx-xxxx-Mxxx-Nxxx-xxxxxxxxxxxx where M is 1-5 and N is 8, 9, a, b, A or B ' +
  'and x is 0-9, a-f or A-F.';

/** The 400 for what is no UUID in a path; GET answers 404. */
export const badPathId = (): Failure => refused(UUID_TEXT, 'bad-id');

export interface PathIdOptions {
  /** Name of the path parameter. */
  readonly name: string;
  /** The not-found text of the resource, given what stands in the path. */
  readonly notFound: (id: string) => string;
}

/**
 * A UUID in the path, in lower case (conventions, section 10). One that is none is a 404 with the resource's own text on
 * GET, because nothing has that name, and a 400 on other methods.
 */
export const PathId = createParamDecorator(
  ({ name, notFound: text }: PathIdOptions, context: ExecutionContext): string => {
    const request = requestOf(context);
    const id = (request.params as Readonly<Record<string, string>>)[name] ?? '';
    if (isUuid(id)) return id.toLowerCase();
    const reading = request.method === 'GET' || request.method === 'HEAD';
    throw reading ? notFound(text(id)) : badPathId();
  },
);
