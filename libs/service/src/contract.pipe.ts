import {
  createParamDecorator,
  Injectable,
  type ArgumentMetadata,
  type ExecutionContext,
  type PipeTransform,
} from '@nestjs/common';
import { checkContract } from '@quire/contracts/check-contract';
import { invalid, refused } from '@quire/contracts/failure';
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
    if (value === undefined) {
      throw refused('HV000116: The object to be validated must not be null.', 'no-body');
    }
    const checked = checkContract(contract, value);
    if ('violations' in checked) throw invalid(...checked.violations);
    return checked.value;
  }
}

/** Like `@Body()`, for the calls that also work without a body: the parameter is then undefined. */
export const OptionalBody = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<FastifyRequest>().body ?? undefined,
);
