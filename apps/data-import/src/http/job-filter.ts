import { SUBORDINATION_TYPES, UI_STATUSES } from '@quire/contracts/data-import';
import { parseDate } from '@quire/contracts/dates';
import { isAnyUuid } from '@quire/contracts/ids';
import {
  badParameter,
  enumParameter,
  single,
  textParameter,
  textParameters,
  type Query,
} from '@quire/contracts/paging';
import {
  aDate,
  aText,
  aUuid,
  many,
  oneOf,
  type QueryParameter,
} from '@quire/contracts/query-parameters';
import { JOB_STATUSES } from '@quire/contracts/source-records';
import { JOB_SORT_FIELDS, type JobFilter, type JobSort } from '../db/job-listings.js';
import { uiStatusOf } from '../domain/job-execution.js';

/** What {@link jobFilterOf} reads. */
export const JOB_FILTER_PARAMETERS: readonly QueryParameter[] = [
  many(oneOf('statusAny', JOB_STATUSES)),
  many(oneOf('uiStatusAny', UI_STATUSES)),
  oneOf('statusNot', JOB_STATUSES),
  many(aUuid('profileIdAny')),
  many(aUuid('profileIdNotAny')),
  many(oneOf('subordinationTypeNotAny', SUBORDINATION_TYPES)),
  many(aText('fileNameNotAny')),
  many(aUuid('userId')),
  aText('hrId', { description: '`*` stands for any characters. With `fileName`: one of the two.' }),
  aText('fileName', { description: 'In any case; `*` stands for any characters.' }),
  aText('excludeJobProfileName', { description: 'In any case; `*` stands for any characters.' }),
  aDate('completedAfter', { description: 'At this time too.' }),
  aDate('completedBefore', { description: 'At this time too.' }),
  many(
    aText('sortBy', {
      description: 'A field, ascending, or with `,desc` descending.',
      pattern: `^(${JOB_SORT_FIELDS.join('|')})(,(asc|desc))?$`,
      example: 'completed_date,desc',
    }),
  ),
];

/** The parameters of the job list (data-import, 5.1). @throws Failure 400 that names the parameter */
export function jobFilterOf(query: Query): JobFilter {
  const uiStatuses = enums(query, 'uiStatusAny', UI_STATUSES);
  return {
    statusAny: enums(query, 'statusAny', JOB_STATUSES),
    uiStatuses: JOB_STATUSES.filter((status) => uiStatuses.includes(uiStatusOf(status))),
    statusNot: enumParameter(query, 'statusNot', JOB_STATUSES),
    profileIdAny: uuids(query, 'profileIdAny'),
    profileIdNotAny: uuids(query, 'profileIdNotAny'),
    subordinationTypeNotAny: enums(query, 'subordinationTypeNotAny', SUBORDINATION_TYPES),
    fileNameNotAny: textParameters(query, 'fileNameNotAny'),
    userId: uuids(query, 'userId'),
    hrId: textParameter(query, 'hrId'),
    fileName: textParameter(query, 'fileName'),
    excludeJobProfileName: textParameter(query, 'excludeJobProfileName'),
    completedAfter: date(query, 'completedAfter'),
    completedBefore: date(query, 'completedBefore'),
    sort: textParameters(query, 'sortBy').map(sortOf),
  };
}

function enums<T extends string>(query: Query, name: string, values: readonly T[]): T[] {
  return textParameters(query, name).map((text) => {
    const found = values.find((value) => value.toLowerCase() === text.toLowerCase());
    if (found === undefined) throw badParameter(name, text, `must match "${values.join('|')}"`);
    return found;
  });
}

function uuids(query: Query, name: string): readonly string[] {
  const values = textParameters(query, name);
  const wrong = values.find((value) => !isAnyUuid(value));
  if (wrong !== undefined) throw badParameter(name, wrong, `Invalid UUID ${wrong}`);
  return values;
}

function date(query: Query, name: string): Date | undefined {
  const text = single(query, name);
  if (text === undefined) return undefined;
  const found = parseDate(text);
  if (!found) throw badParameter(name, text, 'must be a date');
  return found;
}

function sortOf(text: string): JobSort {
  const [name = '', direction = 'asc', ...rest] = text.split(',');
  const field = JOB_SORT_FIELDS.find((one) => one === name);
  if (!field || (direction !== 'asc' && direction !== 'desc') || rest.length > 0) {
    const reason = `The specified parameter for sorting jobExecutions is invalid: '${text}'. Valid sortable fields are: [${JOB_SORT_FIELDS.join(', ')}]. Valid sorting order values are: asc, desc.`;
    throw badParameter('sortBy', text, reason);
  }
  return { field, descending: direction === 'desc' };
}
