import type { InstanceData } from '../domain/instance-facts.js';
import { codes, tidy, type FieldText } from './instance-fields.js';

/** Titles, series and contributors of the instance view. */

const TITLE = codes('anpbcfghks');
const INDEX_TITLE = codes('anpb');

export const titleOf = (field: FieldText): string => field.join(TITLE);

/** Without as many characters as the second indicator says; all of them where nothing would be left. */
export function indexTitleOf(field: FieldText): string {
  const text = field.join(INDEX_TITLE);
  const skipped = field.ind2 - 0x30;
  if (!(skipped > 0 && skipped <= 9)) return tidy(text);
  return tidy(text.slice(lengthOf(text, skipped))) || tidy(text);
}

/** Units of the first characters of a text; one beyond the first plane has two. */
function lengthOf(text: string, characters: number): number {
  let at = 0;
  for (let i = 0; i < characters && at < text.length; i++)
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

const ALTERNATIVE = {
  130: codes('anpdfghklmorst'),
  240: codes('anpdfghklmors'),
  246: codes('anpbfgh'),
} as const;

export function addAlternativeTitle(
  data: InstanceData,
  field: FieldText,
  tag: keyof typeof ALTERNATIVE,
): void {
  const alternativeTitle = tidy(field.join(ALTERNATIVE[tag]));
  if (alternativeTitle !== '') (data.alternativeTitles ??= []).push({ alternativeTitle });
}

const SERIES_STATEMENT = codes('av');
/** The letters of a series' name; `w` and `x` are numbers of another record. */
const SERIES_ENTRY = codes('abcdefghijklmnopqrstuv');

export function addSeries(data: InstanceData, field: FieldText, tag: number): void {
  const value = tidy(field.join(tag === 490 ? SERIES_STATEMENT : SERIES_ENTRY));
  if (value !== '') (data.series ??= []).push({ value });
}

const PERSON = codes('abcdfgjklnpqtu');
const BODY = codes('abcdfgklnptu');
const NAME_TYPES = ['Personal name', 'Corporate name', 'Meeting name'] as const;

/** @param tag 100, 110, 111, 700, 710 or 711 */
export function addContributor(data: InstanceData, field: FieldText, tag: number): void {
  // X00 persons, X10 corporate bodies, X11 meetings.
  const kind = tag % 100 === 0 ? 0 : tag % 100 === 10 ? 1 : 2;
  const name = tidy(field.join(kind === 0 ? PERSON : BODY));
  if (name === '') return;
  const term = field.first(kind === 2 ? 'j' : 'e');
  const relator = field.first('4') ?? (term === undefined ? undefined : tidy(term));
  const authorityId = field.first('9');
  (data.contributors ??= []).push({
    name,
    nameType: NAME_TYPES[kind],
    primary: tag < 200,
    ...(relator ? { relator } : {}),
    ...(authorityId === undefined ? {} : { authorityId }),
  });
}
