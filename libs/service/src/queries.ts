import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { notFound, refused, type Failure } from '@quire/contracts/failure';
import { isUuid } from '@quire/contracts/ids';
import { parsePaging, type Paging, type Query } from '@quire/contracts/paging';
import { cqlQuery, pagingParameters, type QueryParameter } from '@quire/contracts/query-parameters';
import type { CqlEntity } from '@quire/postgres/cql-entity';
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

/** Says in the API description what a method reads of the query: `@Queries(cqlOf(entity), ...pagingParameters())`. */
export const Queries =
  (...parameters: readonly QueryParameter[]): MethodDecorator =>
  (target, key, method) => {
    for (const parameter of parameters) ApiQuery(parameter)(target, key, method);
  };

/** `query` of a list. The many fields that stand behind one prefix are named by it: `fund.*`. */
export function cqlOf({ fields, joins = {} }: CqlEntity): QueryParameter {
  const names = [...Object.keys(fields), ...Object.keys(joins).map((prefix) => `${prefix}.`)];
  return cqlQuery([...new Set(names.map((name) => name.replace(/\..*$/, '.*')))]);
}

const readPaging = createParamDecorator(
  (defaultLimit: number | undefined, context: ExecutionContext): Paging =>
    parsePaging(queryOf(requestOf(context)), defaultLimit),
);

/**
 * `offset`, `limit` and `totalRecords`, checked and described: `@PagingOf() paging: Paging`. The argument is the default
 * limit.
 */
export const PagingOf =
  (defaultLimit?: number): ParameterDecorator =>
  (target, key, index) => {
    readPaging(defaultLimit)(target, key, index);
    const method = key === undefined ? undefined : Object.getOwnPropertyDescriptor(target, key);
    if (key === undefined || !method) return;
    Queries(...pagingParameters(defaultLimit))(target, key, method);
  };

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
