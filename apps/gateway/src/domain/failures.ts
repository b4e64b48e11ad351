import { badParameter } from '@quire/contracts/paging';
import {
  forbidden,
  invalid,
  Failure,
  notFound,
  refused,
  unauthorised,
  type Violation,
} from '@quire/contracts/failure';

/** Every way the gateway says no, with the exact texts of conventions, sections 2 to 7. */
export const failures = {
  invalidToken: () => unauthorised('Invalid token'),
  inactiveUser: (id: string) => unauthorised(`Invalid token: user with id ${id} is not active`),
  /** The token is good, but speaks of another tenant or user than the headers. */
  foreignToken: () => forbidden('Invalid token'),
  differentTokens: () =>
    refused('Different tokens in Authentication and X-Okapi-Token. Use only one of them', 'tokens'),
  tokenMissing: (permission: string | undefined, strict: boolean) => {
    const text =
      permission === undefined
        ? 'Token missing'
        : `Token missing, access requires permission: ${permission}`;
    return strict ? refused(text, 'token-missing') : unauthorised(text);
  },
  tenantTwice: () => refused('X-Okapi-Tenant must have one value', 'tenant'),
  tenantMissing: () => refused('Unable to process request Tenant must be set', 'tenant'),
  tenantMalformed: (id: string) =>
    refused(
      `Invalid tenant id, may only contain a-z and 0-9 and must match '[a-z][a-z0-9]{0,30}' but it is ${id}`,
      'tenant',
    ),
  tenantUnknown: (id: string) => refused(`No such Tenant ${id}`, 'tenant'),
  tenantExists: (id: string) => refused(`Duplicate tenant id ${id}`, 'tenant'),
  tenantNotFound: (id: string) => notFound(`Tenant ${id} not found`),
  noLibrary: (id: string) => refused(`Tenant ${id} holds no library data`, 'tenant'),
  moduleStays: (id: string) =>
    refused(`Module ${id} can not be disabled: every tenant has all services`, 'module'),
  originRefused: () => forbidden('Origin not allowed'),
  unknownDialect: (dialect: string) => refused(`Unknown dialect ${dialect}`, 'dialect'),
  noRoute: () => notFound('No suitable module found for path and tenant'),
  userNotFound: () => notFound('Not found'),
  noUsername: () => refused('You must provide a username or userId', 'login'),
  noPassword: () => refused('You must provide a password', 'login'),
  /** One answer for an unknown user, a wrong password, no password, an inactive user and a blocked account. */
  wrongLogin: () =>
    ended(
      'Wrong username or wrong password or account blocked',
      'wrong.username.or.wrong.password.or.account.blocked',
    ),
  unreadableRefresh: () =>
    new Failure('refused', 'token.parse.failure', 'Bad request', {
      errors: [violationOf('Bad request', 'token.parse.failure')],
    }),
  refreshRefused: () =>
    ended(
      'Authorization server unable to process token refresh request',
      'token.refresh.unprocessable',
    ),
  logoutRefused: () =>
    ended(
      'Authorization server unable to process token logout request',
      'token.logout.unprocessable',
    ),
  badParameter,
} as const;

function ended(message: string, code: string): Failure {
  return invalid(violationOf(message, code));
}

function violationOf(message: string, code: string): Violation {
  return { message, type: 'error', code, parameters: [] };
}
