import {
  createParamDecorator,
  Injectable,
  type ArgumentMetadata,
  type ExecutionContext,
  type PipeTransform,
} from '@nestjs/common';
import { checkContract, checkField } from '@quire/contracts/check-contract';
import { invalid, refused, type Failure } from '@quire/contracts/failure';
import { fieldsOf, type ContractClass } from '@quire/contracts/fields';
import type { FastifyRequest } from 'fastify';

/**
 * Checks a body by the contract class of its parameter: `@Body() request: StartExport`. A body of another type (the stream
 * of an upload) passes untouched.
 *
 * @throws Failure 400 when there is no body, 422 with every violation
 */
@Injectable()
export class ContractPipe implements PipeTransform {
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if ((type !== 'body' && type !== 'custom') || !metatype) return value;
    const contract = metatype as ContractClass;
    if (fieldsOf(contract).length === 0) return value;
    // Only `@OptionalBody` is a custom decorator with a contract class.
    if (value === undefined && type === 'custom') return undefined;
    return checked(contract, value);
  }
}

export const missingBody = (): Failure =>
  refused('HV000116: The object to be validated must not be null.', 'no-body');

function checked(contract: ContractClass, value: unknown): object {
  if (value === undefined) throw missingBody();
  const result = checkContract(contract, value);
  if ('violations' in result) throw invalid(...result.violations);
  return result.value;
}

/** `@Body()` for a contract class that is not known when the controller is compiled. */
export const checkedBody = (contract: ContractClass): (() => ParameterDecorator) =>
  createParamDecorator((_: unknown, context: ExecutionContext) =>
    checked(contract, context.switchToHttp().getRequest<FastifyRequest>().body),
  );

/** `@Body()` for a list. @param max its longest */
export const BodyListOf = (contract: ContractClass, max: number): (() => ParameterDecorator) =>
  createParamDecorator((_: unknown, context: ExecutionContext) => {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    if (body === undefined) throw missingBody();
    const of = { kind: 'nested', type: () => contract } as const;
    const result = checkField({ kind: 'list', of, min: 0, max }, body, '');
    if ('violations' in result) throw invalid(...result.violations);
    return result.value;
  });

/** Like `@Body()`, for the calls that also work without a body: the parameter is then undefined. */
export const OptionalBody = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<FastifyRequest>().body ?? undefined,
);
