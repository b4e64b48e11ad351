/** Names of files, as users gave them and as they see them (`data-export.md`, section 6; reliability, X1 and X2). */

/** Longest stored name, in UTF-16 units. */
export const NAME_CHARACTERS_MAX = 255;
const BASE_CHARACTERS_MAX = 200;
const DEFAULT_BASE = 'export';
const QUICK_BASE = 'quick-export';

/** C0, DEL and C1 controls, the marks that turn the direction of text, and the quote that would end a header value. */
const UNSAFE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069"]/gu;

/** The last element of a path, without what could mislead a header or a reader. Clients send whole paths. */
export function displayName(fileName: string): string {
  const last = fileName.split(/[/\\]/).at(-1) ?? '';
  return last.replace(UNSAFE, '').trim();
}

/** In lower case. What stands behind an escaped NUL is no part of a name to whoever unescapes it: `a.exe%00.csv`. */
export function extensionOf(name: string): string {
  const [shown = ''] = name.split('%00', 1);
  const dot = shown.lastIndexOf('.');
  return dot < 0 ? '' : shown.slice(dot + 1).toLowerCase();
}

/** At most 255 characters; the extension survives the cut. */
export function cutName(name: string): string {
  if (name.length <= NAME_CHARACTERS_MAX) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot < 0 ? '' : name.slice(dot);
  return cut(name, NAME_CHARACTERS_MAX - extension.length) + extension;
}

/** `cql` files are stored and answered as `csv`, as FOLIO does. */
export function withCsvExtension(name: string): string {
  return name.replace(/\.cql$/i, '.csv');
}

/** Base of an uploaded file's output: its name without its last extension. */
export function baseOf(fileName: string): string {
  const name = displayName(fileName);
  const dot = name.lastIndexOf('.');
  return bounded(dot < 0 ? name : name.slice(0, dot), DEFAULT_BASE);
}

/** Base of a quick export: only extensions that we would add ourselves are dropped. */
export function quickBaseOf(fileName: string | undefined): string {
  return bounded(displayName(fileName ?? '').replace(/\.(mrc|csv|cql)$/i, ''), QUICK_BASE);
}

export function outputName(base: string, hrId: number, extension = 'mrc'): string {
  return `${base}-${hrId}.${extension}`;
}

/** The file beside an output, for records that do not fit into it. */
export function oversizeName(base: string, hrId: number): string {
  return `${base}-${hrId}-oversize.xml`;
}

function bounded(base: string, fallback: string): string {
  const text = cut(base, BASE_CHARACTERS_MAX).trim();
  return text === '' ? fallback : text;
}

/** Never between the two halves of a character. */
function cut(text: string, charactersMax: number): string {
  const end = text.slice(0, charactersMax);
  return end.isWellFormed() ? end : end.slice(0, -1);
}
