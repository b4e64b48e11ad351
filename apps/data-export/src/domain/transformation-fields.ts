import type { Transformation } from '@quire/contracts/data-export';
import type { TransformationField } from '@quire/contracts/export-profiles';
import {
  SHIPPED_REFERENCE_DATA,
  type ReferenceData,
  type ReferenceEntry,
  type ReferenceList,
} from './reference-data.js';

/**
 * The fields that a mapping profile can transform (`data-export.md`, appendix A): fixed ones, and one for each entry of the
 * reference lists. Their ids follow the names of the entries, their paths the ids.
 */
type RecordType = Transformation['recordType'];

interface Row {
  /** Of the display key, behind `instance.`, `holdings.` or `item.`. */
  readonly name: string;
  /** `{id}` stands for the id of the reference entry. */
  readonly path: string;
  /** Absent: a fixed field. */
  readonly list?: ReferenceList;
}

const ROOT: Readonly<Record<RecordType, string>> = {
  INSTANCE: '$.instance',
  HOLDINGS: '$.holdings[*]',
  ITEM: '$.holdings[*].items[*]',
};
const KEY: Readonly<Record<RecordType, string>> = {
  INSTANCE: 'instance',
  HOLDINGS: 'holdings',
  ITEM: 'item',
};
const ACCESS = ['uri', 'linkText', 'materialsSpecification', 'publicNote'];
const NOT_STAFF_ONLY = '(!(@.staffOnly) || @.staffOnly == false)';
const STAFF_ONLY = '((@.staffOnly) && @.staffOnly == true)';

/** Fields that have their own name below the root. */
const same = (root: string, ...names: readonly string[]): Row[] =>
  names.map((name) => ({ name, path: `${root}.${name}` }));

function shared(root: string): Row[] {
  const access = `${root}.electronicAccess`;
  const none = '[?(!(@.relationshipId) || @.relationshipId == null)]';
  const by = ['createdDate', 'updatedDate', 'createdByUserId', 'updatedByUserId'];
  return [
    ...same(root, 'id', 'hrid', ...by.map((name) => `metadata.${name}`)),
    ...ACCESS.flatMap((name): Row[] => [
      {
        name: `electronic.access.${name}`,
        path: `${access}[?(@.relationshipId=='{id}')].${name}`,
        list: 'electronicAccessRelationships',
      },
      { name: `electronic.access.${name}.default`, path: `${access}${none}.${name}` },
    ]),
  ];
}

/** A location shows its own name and code and those of its library, campus and institution. */
function location(root: string, name: string): Row[] {
  const path = `${root}.${name}Id`;
  return ['', 'library.', 'campus.', 'institution.'].flatMap((unit) => [
    { name: `${name}.${unit}name`, path },
    { name: `${name}.${unit}code`, path },
  ]);
}

function notes(root: string, of: { name: string; property: string; list: ReferenceList }): Row[] {
  const { name, property, list } = of;
  const path = (staff: string): string =>
    `${root}.notes[?(@.${property}=='{id}' && ${staff})].note`;
  return [
    { name, path: path(NOT_STAFF_ONLY), list },
    { name: `${name}.staffOnly`, path: path(STAFF_ONLY), list },
  ];
}

function instanceRows(root: string): Row[] {
  const contributor = (primary: string): string =>
    `${root}.contributors[?(@.contributorNameTypeId=='{id}' && ${primary})].name`;
  const list = 'contributorNameTypes';
  const typed = (name: string, of: ReferenceList): Row => ({
    name,
    path: `${root}[?(@.${name}=='{id}')].${name}`,
    list: of,
  });
  return [
    ...same(root, 'source', 'title', 'editions', 'languages', 'subjects'),
    {
      name: 'alternativeTitleTypeName',
      path: `${root}.alternativeTitles[?(@.alternativeTitleTypeId=='{id}')].alternativeTitle`,
      list: 'alternativeTitleTypes',
    },
    {
      name: 'contributorName',
      path: contributor('(!(@.primary) || @.primary == false)'),
      list,
    },
    {
      name: 'contributorName.primary',
      path: contributor('((@.primary) && @.primary == true)'),
      list,
    },
    {
      name: 'identifiers',
      path: `${root}.identifiers[?(@.identifierTypeId=='{id}')].value`,
      list: 'identifierTypes',
    },
    typed('instanceTypeId', 'instanceTypes'),
    typed('modeOfIssuanceId', 'modesOfIssuance'),
  ];
}

function holdingsRows(root: string): Row[] {
  const statements = ['', 'ForSupplements', 'ForIndexes'].flatMap((of) =>
    ['statement', 'note', 'staffNote'].map((name) => ({
      name: `holdingsStatements${of}.${name}`,
      path: `${root}.holdingsStatements${of}[*].${name}`,
    })),
  );
  return [
    ...same(root, 'instanceId', 'callNumber', 'callNumberPrefix', 'callNumberSuffix'),
    { name: 'callNumberType', path: `${root}.callNumberTypeId` },
    ...location(root, 'permanentLocation'),
    ...location(root, 'temporaryLocation'),
    ...statements,
    ...notes(root, {
      name: 'holdingNoteTypeId',
      property: 'holdingsNoteTypeId',
      list: 'holdingsNoteTypes',
    }),
  ];
}

function itemRows(root: string): Row[] {
  const callNumber = (name: string, property: string): Row => ({
    name,
    path: `${root}.effectiveCallNumberComponents.${property}`,
  });
  return [
    ...same(root, 'holdingsRecordId', 'barcode', 'volume', 'enumeration', 'chronology'),
    ...same(root, 'descriptionOfPieces', 'copyNumber', 'numberOfPieces'),
    ...same(root, 'materialTypeId', 'permanentLoanTypeId'),
    { name: 'yearCaption', path: `${root}.yearCaption[*]` },
    { name: 'status', path: `${root}.status.name` },
    callNumber('callNumber', 'callNumber'),
    callNumber('callNumberPrefix', 'prefix'),
    callNumber('callNumberSuffix', 'suffix'),
    callNumber('callNumberType', 'typeId'),
    ...location(root, 'permanentLocation'),
    ...location(root, 'effectiveLocation'),
    ...notes(root, {
      name: 'itemNoteTypeId',
      property: 'itemNoteTypeId',
      list: 'itemNoteTypes',
    }),
  ];
}

const ROWS: readonly { readonly recordType: RecordType; readonly rows: readonly Row[] }[] = [
  { recordType: 'INSTANCE', rows: [...shared(ROOT.INSTANCE), ...instanceRows(ROOT.INSTANCE)] },
  { recordType: 'HOLDINGS', rows: [...shared(ROOT.HOLDINGS), ...holdingsRows(ROOT.HOLDINGS)] },
  { recordType: 'ITEM', rows: [...shared(ROOT.ITEM), ...itemRows(ROOT.ITEM)] },
];

/** Every field, sorted by its id. */
export function transformationFields(reference: ReferenceData): TransformationField[] {
  return ROWS.flatMap(({ recordType, rows }) =>
    rows.flatMap((row) => fieldsOfRow(recordType, row, reference)),
  ).sort((one, other) => (one.fieldId < other.fieldId ? -1 : 1));
}

function fieldsOfRow(
  recordType: RecordType,
  { name, path, list }: Row,
  reference: ReferenceData,
): TransformationField[] {
  const displayNameKey = `${KEY[recordType]}.${name}`;
  const fieldId = displayNameKey.toLowerCase();
  if (list === undefined) return [{ fieldId, displayNameKey, path, recordType }];
  return reference[list].map((entry) => ({
    fieldId: `${fieldId}.${idPartOf(entry)}`,
    displayNameKey,
    path: path.replace('{id}', entry.id),
    recordType,
    referenceDataValue: entry.name,
  }));
}

const idPartOf = ({ name }: ReferenceEntry): string => name.toLowerCase().replaceAll(' ', '.');

/** Later clients write this path for the subjects; it is the same field. */
const PATHS_OF_LATER: Readonly<Record<string, string>> = {
  '$.instance.subjects[*].value': '$.instance.subjects',
};

/** The fields by id and by path. */
export class TransformationFieldIndex {
  private readonly byId: ReadonlyMap<string, TransformationField>;
  private readonly byPath: ReadonlyMap<string, readonly TransformationField[]>;

  constructor(fields: readonly TransformationField[]) {
    this.byId = new Map(fields.map((field) => [field.fieldId, field]));
    this.byPath = Map.groupBy(fields, (field) => field.path);
  }

  find(fieldId: string): TransformationField | undefined {
    return this.byId.get(fieldId);
  }

  /** Under its field's id of today: a reference entry that was renamed gave its field another one, but no other path. */
  renamed<T extends Transformation>(transformation: T): T {
    const { path, fieldId } = transformation;
    if (path === undefined) return transformation;
    const fields = this.byPath.get(PATHS_OF_LATER[path] ?? path) ?? [];
    const [only] = fields;
    if (only === undefined || fields.some((field) => field.fieldId === fieldId))
      return transformation;
    return fields.length === 1 ? { ...transformation, fieldId: only.fieldId } : transformation;
  }
}

/** Without an inventory: as FOLIO ships them. */
export const SHIPPED_FIELDS: readonly TransformationField[] =
  transformationFields(SHIPPED_REFERENCE_DATA);
export const shippedFields = new TransformationFieldIndex(SHIPPED_FIELDS);
