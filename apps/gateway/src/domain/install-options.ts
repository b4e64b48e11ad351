import { badParameter, booleanParameter, single, type Query } from '@quire/contracts/paging';
import { aFlag, aText, type QueryParameter } from '@quire/contracts/query-parameters';

/** What an install loads, and how it is answered (conventions, section 6). */
export interface InstallOptions {
  readonly loadReference: boolean;
  readonly loadSample: boolean;
  /** Nothing is changed. */
  readonly simulate: boolean;
  /** The answer is a 201 that says where to look. */
  readonly async: boolean;
}

const NAME = 'tenantParameters';

/** What {@link installOptions} reads. */
export const INSTALL_PARAMETERS: readonly QueryParameter[] = [
  aText(NAME, { example: 'loadReference=true,loadSample=true' }),
  aFlag('simulate', { default: false, description: 'Changes nothing.' }),
  aFlag('async', { default: false, description: 'Answers before it is done, with where to look.' }),
];

/** Of `tenantParameters=loadReference=true,loadSample=true`; names that only other modules know are passed over. @throws Failure 400 */
export function installOptions(query: Query): InstallOptions {
  const text = single(query, NAME) ?? '';
  const sent = new Map(
    text
      .split(',')
      .filter((part) => part.trim() !== '')
      .map((part) => {
        const [, name, value] = /^([^=]+)=(.*)$/s.exec(part) ?? [];
        if (name === undefined || value === undefined)
          throw badParameter(NAME, text, 'must be a list of <name>=<value>');
        return [name.trim(), value.trim()];
      }),
  );
  const flag = (name: string): boolean => {
    const value = sent.get(name) ?? 'false';
    if (!/^(true|false)$/i.test(value))
      throw badParameter(NAME, text, `${name} must be true or false`);
    return value.toLowerCase() === 'true';
  };
  return {
    loadReference: flag('loadReference'),
    loadSample: flag('loadSample'),
    simulate: booleanParameter(query, 'simulate', false),
    async: booleanParameter(query, 'async', false),
  };
}
