import { SHIPPED_REFERENCE_DATA, type ReferenceData } from './reference-data.js';
import {
  SHIPPED_FIELDS,
  TransformationFieldIndex,
  transformationFields,
} from './transformation-fields.js';

const NONE: ReferenceData = {
  electronicAccessRelationships: [],
  alternativeTitleTypes: [],
  contributorNameTypes: [],
  identifierTypes: [],
  instanceTypes: [],
  modesOfIssuance: [],
  holdingsNoteTypes: [],
  itemNoteTypes: [],
};

describe('transformation fields', () => {
  it('are 15 of instances, 40 of holdings and 42 of items without reference data', () => {
    const counts = Map.groupBy(transformationFields(NONE), (field) => field.recordType);
    const sizes = [...counts].map(([type, fields]) => [type, fields.length]);
    expect(Object.fromEntries(sizes)).toEqual({ INSTANCE: 15, HOLDINGS: 40, ITEM: 42 });
  });

  it('are as many as the formula says', () => {
    const n = Object.fromEntries(
      Object.entries(SHIPPED_REFERENCE_DATA).map(([list, entries]) => [list, entries.length]),
    ) as Record<keyof ReferenceData, number>;
    expect(SHIPPED_FIELDS).toHaveLength(
      97 +
        12 * n.electronicAccessRelationships +
        n.alternativeTitleTypes +
        2 * n.contributorNameTypes +
        n.identifierTypes +
        n.modesOfIssuance +
        n.instanceTypes +
        2 * n.holdingsNoteTypes +
        2 * n.itemNoteTypes,
    );
  });

  it('are sorted by their ids, of which none comes twice', () => {
    const ids = SHIPPED_FIELDS.map((field) => field.fieldId);
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  it.each([
    ['instance.hrid', 'instance.hrid', '$.instance.hrid', undefined],
    [
      'instance.metadata.createdbyuserid',
      'instance.metadata.createdByUserId',
      '$.instance.metadata.createdByUserId',
      undefined,
    ],
    [
      'instance.identifiers.gpo.item.number',
      'instance.identifiers',
      "$.instance.identifiers[?(@.identifierTypeId=='351ebc1c-3aae-4825-8765-c6d50dbf011f')].value",
      'GPO item number',
    ],
    [
      'instance.contributorname.primary.personal.name',
      'instance.contributorName.primary',
      "$.instance.contributors[?(@.contributorNameTypeId=='2b94c631-fca9-4892-a730-03ee529ffe2a' && ((@.primary) && @.primary == true))].name",
      'Personal name',
    ],
    [
      'instance.modeofissuanceid.serial',
      'instance.modeOfIssuanceId',
      "$.instance[?(@.modeOfIssuanceId=='068b5344-e2a6-40df-9186-1829e13cd344')].modeOfIssuanceId",
      'serial',
    ],
    [
      'holdings.electronic.access.linktext.version.of.resource',
      'holdings.electronic.access.linkText',
      "$.holdings[*].electronicAccess[?(@.relationshipId=='3b430592-2e09-4b48-9a0c-0636d66b9fb3')].linkText",
      'Version of resource',
    ],
    [
      'holdings.electronic.access.uri.default',
      'holdings.electronic.access.uri.default',
      '$.holdings[*].electronicAccess[?(!(@.relationshipId) || @.relationshipId == null)].uri',
      undefined,
    ],
    [
      'holdings.permanentlocation.library.code',
      'holdings.permanentLocation.library.code',
      '$.holdings[*].permanentLocationId',
      undefined,
    ],
    [
      'holdings.holdingnotetypeid.staffonly.action.note',
      'holdings.holdingNoteTypeId.staffOnly',
      "$.holdings[*].notes[?(@.holdingsNoteTypeId=='d6510242-5ec3-42ed-b593-3585d2e48fd6' && ((@.staffOnly) && @.staffOnly == true))].note",
      'Action note',
    ],
    [
      'item.callnumberprefix',
      'item.callNumberPrefix',
      '$.holdings[*].items[*].effectiveCallNumberComponents.prefix',
      undefined,
    ],
    [
      'item.itemnotetypeid.binding',
      'item.itemNoteTypeId',
      "$.holdings[*].items[*].notes[?(@.itemNoteTypeId=='87c450be-2033-41fb-80ba-dd2409883681' && (!(@.staffOnly) || @.staffOnly == false))].note",
      'Binding',
    ],
  ])('%s', (fieldId, displayNameKey, path, referenceDataValue) => {
    const [type = ''] = fieldId.split('.');
    const field = SHIPPED_FIELDS.find((one) => one.fieldId === fieldId);
    expect(field).toEqual({
      fieldId,
      displayNameKey,
      path,
      recordType: type.toUpperCase(),
      ...(referenceDataValue === undefined ? {} : { referenceDataValue }),
    });
  });
});

describe('a transformation of a field that has another id today', () => {
  const fields = new TransformationFieldIndex(SHIPPED_FIELDS);
  const renamed = (fieldId: string, path?: string): string =>
    fields.renamed({ fieldId, recordType: 'INSTANCE', ...(path === undefined ? {} : { path }) })
      .fieldId;
  const isbn =
    "$.instance.identifiers[?(@.identifierTypeId=='8261054f-be78-422d-bd51-4ed9f33c3422')].value";

  it('gets that id by its path', () => {
    expect(renamed('instance.identifiers.book.number', isbn)).toBe('instance.identifiers.isbn');
  });

  it('keeps its id where the path is of several fields, of the same or of none', () => {
    const shelf = 'holdings.permanentlocation.name';
    expect(renamed(shelf, '$.holdings[*].permanentLocationId')).toBe(shelf);
    expect(renamed('instance.identifiers.isbn', isbn)).toBe('instance.identifiers.isbn');
    expect(renamed('instance.subjects', '$.instance.subjects[*].value')).toBe('instance.subjects');
    expect(renamed('instance.gone', '$.instance.gone')).toBe('instance.gone');
    expect(renamed('instance.gone')).toBe('instance.gone');
  });
});
