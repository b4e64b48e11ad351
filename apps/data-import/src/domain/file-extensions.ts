import type { DataType } from '@quire/contracts/file-extensions';

/** Rules of file extensions (data-import, 3.5). */
export interface DefaultExtension {
  readonly id: string;
  readonly extension: string;
  readonly dataTypes: readonly DataType[];
  readonly importBlocked: boolean;
}

const taken = (extension: string, dataType: DataType, id: string): DefaultExtension => ({
  id,
  extension,
  dataTypes: [dataType],
  importBlocked: false,
});
const blocked = (extension: string, id: string): DefaultExtension => ({
  id,
  extension,
  dataTypes: [],
  importBlocked: true,
});

/** What every tenant begins with. */
export const DEFAULT_EXTENSIONS: readonly DefaultExtension[] = [
  taken('.dat', 'MARC', '5cf7a0e5-f359-43f5-8c96-e5df74131183'),
  taken('.edi', 'EDIFACT', 'ebb05fe7-45d5-4eab-80cd-587bda42c7ca'),
  blocked('.gif', '8d3a66b7-3a88-4f59-9d83-a50b020ac60a'),
  taken('.inv', 'EDIFACT', 'f340c632-a8b0-4d07-9c2f-b913e82d23d5'),
  blocked('.jpg', 'e6747033-7a8f-45a8-beba-21468dd554c7'),
  taken('.marc', 'MARC', '1df36889-4d3a-482e-a8c8-9c67b8245feb'),
  taken('.mrc', 'MARC', 'f445092c-94b8-408a-a9f1-5edd8b5919c9'),
  blocked('.mrk', '0001886d-679b-4167-bcf6-9ba640929a8f'),
  taken('.ord', 'MARC', '8ffe5abc-a532-48cb-ab0e-827ea980154c'),
  blocked('.pdf', '9dff36d2-cb05-4483-80bc-40dbb57888e6'),
  blocked('.png', '756800be-ec03-47b6-ace3-e62d1bd6c5dd'),
  taken('.xml', 'MARC', '6cf5568b-4d37-4d35-9116-e8a52120779d'),
  blocked('.zip', '8d15a305-5bf8-497f-b2ff-6cffda5f13cf'),
];

/** When and by whom the default ones were made. */
export const DEFAULTS_MADE_AT = new Date('2019-01-01T11:22:07Z');
export const DEFAULTS_MADE_BY = 'System';

export const isExtension = (text: string): boolean => /^\.(\w+)$/.test(text);

/** From the last dot on, in lower case; undefined when there is none or it is the first character. */
export function extensionOf(fileName: string): string | undefined {
  const dot = fileName.lastIndexOf('.');
  return dot > 0 ? fileName.slice(dot).toLowerCase() : undefined;
}
