import { Controller, Get } from '@nestjs/common';
import { Permissions } from '@quire/auth/permissions';
import type { TransformationFields } from '@quire/contracts/export-profiles';
import { routes } from '@quire/contracts/routes';
import { SHIPPED_FIELDS } from '../domain/transformation-fields.js';

/** What mapping profiles can transform (`data-export.md`, appendix A); not paged. */
@Controller('data-export/transformation-fields')
export class TransformationFieldsController {
  @Get()
  @Permissions(routes.transformationFields)
  list(): TransformationFields {
    return { transformationFields: SHIPPED_FIELDS, totalRecords: SHIPPED_FIELDS.length };
  }
}
