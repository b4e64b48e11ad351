import { AnyUuid, DateTime, Text } from './fields.js';

/** Who made and changed a thing, and when (conventions, section 12). Closed; the server sets all of it. */
export class Metadata {
  @DateTime() readonly createdDate: string;
  @AnyUuid({ optional: true }) readonly createdByUserId?: string;
  @Text({ optional: true }) readonly createdByUsername?: string;
  @DateTime({ optional: true }) readonly updatedDate?: string;
  @AnyUuid({ optional: true }) readonly updatedByUserId?: string;
  @Text({ optional: true }) readonly updatedByUsername?: string;
}
