import type { Encoding, OutputFormat, OversizeMode } from '@quire/contracts/data-export';

/** In which form a job writes its records (`data-export.md`, 10.8 and section 14, B9–B11). */
export interface Output {
  readonly format: OutputFormat;
  /** Of MARC alone: the other formats are UTF-8 by their definition. */
  readonly encoding: Encoding;
  /** Of MARC alone: the other formats have no limit. */
  readonly oversize: OversizeMode;
}

/** What a request may say of it. */
export interface AskedOutput {
  readonly outputFormat?: OutputFormat;
  readonly encoding?: Encoding;
  readonly oversize?: OversizeMode;
}

/** What is asked for wins, then the profile and the tenant. */
export function outputOf(
  asked: AskedOutput,
  ofProfile: OutputFormat,
  ofTenant: OversizeMode,
): Output {
  const { outputFormat: format = ofProfile, encoding = 'UTF-8', oversize = ofTenant } = asked;
  return format === 'MARC'
    ? { format, encoding, oversize }
    : { format, encoding: 'UTF-8', oversize: 'fail' };
}

const EXTENSION: Readonly<Record<OutputFormat, string>> = {
  MARC: 'mrc',
  MARCXML: 'xml',
  MARC_JSON: 'jsonl',
};
const CONTENT_TYPE: Readonly<Record<OutputFormat, string>> = {
  MARC: 'application/marc',
  MARCXML: 'application/marcxml+xml',
  MARC_JSON: 'application/x-ndjson',
};

export const extensionOfFormat = (format: OutputFormat): string => EXTENSION[format];
export const contentTypeOf = (format: OutputFormat): string => CONTENT_TYPE[format];
