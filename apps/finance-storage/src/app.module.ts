import { Module } from '@nestjs/common';
import { financeEntityRoutes } from '@quire/contracts/finance-routes';
import { TENANT_SEED } from '@quire/service/tenants';
import { BatchReads } from './db/batch-reads.js';
import { BudgetLinks } from './db/budget-links.js';
import { Entities } from './db/entities.js';
import { Expansions } from './db/expansions.js';
import { LedgerSums } from './db/ledger-sums.js';
import { MatrixRows } from './db/matrix-rows.js';
import { Relations } from './db/relations.js';
import { StatusCascades } from './db/status-cascades.js';
import { YearCopies } from './db/year-copies.js';
import {
  budget,
  fiscalYear,
  fund,
  fundType,
  group,
  groupFundFiscalYear,
  ledger,
} from './domain/entities.js';
import { BatchesController } from './http/batches.controller.js';
import { BulkController } from './http/bulk.controller.js';
import { entityController } from './http/entity-controller.js';
import { EntityReads } from './http/entity-reads.js';
import { MatrixAnswer } from './http/matrix-answer.js';
import { BulkChanges } from './usecases/bulk-changes.js';
import { BulkSources } from './usecases/bulk-sources.js';
import { ChangeEvents } from './usecases/change-events.js';
import { Effects } from './usecases/effects.js';
import { EntityChanges } from './usecases/entity-changes.js';
import { FiscalYearCopies } from './usecases/fiscal-year-copies.js';
import { RelationKeys } from './usecases/relation-keys.js';
import { SampleData } from './usecases/sample-data.js';

/** Everything that finance-storage consists of. */
@Module({
  controllers: [
    BatchesController,
    BulkController,
    entityController(groupFundFiscalYear, financeEntityRoutes.groupFundFiscalYears),
    entityController(group, financeEntityRoutes.groups),
    entityController(fiscalYear, financeEntityRoutes.fiscalYears),
    entityController(ledger, financeEntityRoutes.ledgers),
    entityController(fundType, financeEntityRoutes.fundTypes),
    entityController(fund, financeEntityRoutes.funds),
    entityController(budget, financeEntityRoutes.budgets),
  ],
  providers: [
    Entities,
    Expansions,
    BatchReads,
    LedgerSums,
    EntityReads,
    BudgetLinks,
    StatusCascades,
    ChangeEvents,
    Effects,
    EntityChanges,
    Relations,
    MatrixRows,
    MatrixAnswer,
    BulkChanges,
    BulkSources,
    YearCopies,
    FiscalYearCopies,
    RelationKeys,
    { provide: TENANT_SEED, useClass: SampleData },
  ],
})
export class AppModule {}
