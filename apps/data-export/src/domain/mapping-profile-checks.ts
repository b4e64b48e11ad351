import {
  TRANSFORMATION_PATTERN,
  type MappingProfile,
  type Transformation,
} from '@quire/contracts/data-export';
import { invalid, violation } from '@quire/contracts/failure';
import { failures } from './failures.js';
import type { TransformationFieldIndex } from './transformation-fields.js';

/** The rules of a mapping profile that its shape does not show (`data-export.md`, 11.3), in their order. @throws Failure */
export function checkMappingProfile(
  profile: MappingProfile,
  fields: TransformationFieldIndex,
): void {
  const { recordTypes, transformations = [] } = profile;
  checkPatterns(transformations);
  checkFields(transformations, fields);
  if (recordTypes.includes('SRS') && recordTypes.includes('INSTANCE'))
    throw failures.srsWithInstance();
  checkSuppression(profile);
}

const WHOLE = new RegExp(`^(?:${TRANSFORMATION_PATTERN})$`);
const CONTROL_TAG = /^00[1-9]/;

/** Of the pattern, the whole text; and subfields where there are some: control fields have none, all others do. */
function checkPatterns(transformations: readonly Transformation[]): void {
  const bad = transformations.flatMap(({ transformation = '' }, index) =>
    WHOLE.test(transformation) && makesField(transformation)
      ? []
      : [
          violation(
            `must match "${TRANSFORMATION_PATTERN}"`,
            `transformations[${index}].transformation`,
            transformation,
          ),
        ],
  );
  if (bad.length > 0) throw invalid(...bad);
}

function makesField(transformation: string): boolean {
  return transformation === '' || CONTROL_TAG.test(transformation) !== transformation.includes('$');
}

function checkFields(
  transformations: readonly Transformation[],
  fields: TransformationFieldIndex,
): void {
  if (transformations.some((one) => one.recordType === 'ITEM' && !one.transformation))
    throw failures.emptyItemTransformation();
  if (transformations.some(({ fieldId }) => fieldId.trim() === '')) throw failures.blankFieldId();
  for (const { fieldId } of transformations)
    if (!fields.find(fieldId)) throw failures.unknownFieldId(fieldId);
  for (const { fieldId, recordType } of transformations) {
    const expected = fields.find(fieldId)?.recordType;
    if (expected !== undefined && expected !== recordType)
      throw failures.wrongRecordType(fieldId, expected);
  }
}

function checkSuppression({ fieldsSuppression = '', recordTypes }: MappingProfile): void {
  if (fieldsSuppression.trim() === '') return;
  const bad = fieldsSuppression.split(',').flatMap((element, index) => {
    const tag = element.trim();
    if (/^\d{3}$/.test(tag)) return [];
    return [violation('must match "^\\d{3}$"', `suppressionFields[${index}]`, tag)];
  });
  if (bad.length > 0) throw invalid(...bad);
  if (recordTypes.length > 0 && recordTypes.every((type) => type === 'ITEM'))
    throw failures.suppressionOfItems();
}
