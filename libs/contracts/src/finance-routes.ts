import { BULK_BODY_BYTES_MAX, route, type Route, type RouteExtra } from './route.js';

/** Routes of finance-storage; each entity has the same five (finance-storage, sections 1.2 and 2). */
interface EntityRoutes {
  readonly list: Route;
  readonly create: Route;
  readonly read: Route;
  readonly update: Route;
  readonly remove: Route;
}

/** Amounts are exact, so that a number must not lose digits before it is checked. */
const financeRoute = (line: string, permission: string, extra: RouteExtra = {}): Route =>
  route('finance-storage', line, { permission, exactNumbers: true, ...extra });

function entity(path: string): EntityRoutes {
  const base = `/finance-storage/${path}`;
  const may = `finance-storage.${path}`;
  return {
    list: financeRoute(`GET ${base}`, `${may}.collection.get`),
    create: financeRoute(`POST ${base}`, `${may}.item.post`),
    read: financeRoute(`GET ${base}/:id`, `${may}.item.get`),
    update: financeRoute(`PUT ${base}/:id`, `${may}.item.put`),
    remove: financeRoute(`DELETE ${base}/:id`, `${may}.item.delete`),
  };
}

export const financeEntityRoutes = {
  groupFundFiscalYears: entity('group-fund-fiscal-years'),
  groups: entity('groups'),
  fiscalYears: entity('fiscal-years'),
  ledgers: entity('ledgers'),
  fundTypes: entity('fund-types'),
  funds: entity('funds'),
  budgets: entity('budgets'),
} as const;

/** Many at once, by a list of ids (sections 1.3 and 2). */
const batch = (path: string): Route =>
  financeRoute(`POST /finance-storage/${path}/batch`, `finance-storage.${path}.batch.post`, {
    bodyBytesMax: BULK_BODY_BYTES_MAX,
  });

export const financeBatchRoutes = {
  groupFundFiscalYears: batch('group-fund-fiscal-years'),
  funds: batch('funds'),
  budgets: batch('budgets'),
} as const;

const GFFY = 'group-fund-fiscal-years';
const BY_KEY = `/finance-storage/${GFFY}/by-key/:groupId/:fundId/:fiscalYearId`;

/** Bulk work on group-fund-fiscal-years (section 8). */
export const financeBulkRoutes = {
  bulk: route('finance-storage', `POST /finance-storage/${GFFY}/bulk`, {
    permission: `finance-storage.${GFFY}.bulk.post`,
    bodyBytesMax: BULK_BODY_BYTES_MAX,
    csv: 'table',
  }),
  copy: financeRoute(`POST /finance-storage/${GFFY}/copy`, `finance-storage.${GFFY}.bulk.post`),
  matrix: financeRoute(
    `GET /finance-storage/${GFFY}/matrix`,
    `finance-storage.${GFFY}.collection.get`,
  ),
  putByKey: financeRoute(`PUT ${BY_KEY}`, `finance-storage.${GFFY}.item.put`),
  removeByKey: financeRoute(`DELETE ${BY_KEY}`, `finance-storage.${GFFY}.item.delete`),
} as const;

export const financeRoutes: readonly Route[] = [
  ...Object.values(financeEntityRoutes).flatMap((five) => Object.values(five) as Route[]),
  ...Object.values(financeBatchRoutes),
  ...Object.values(financeBulkRoutes),
];
