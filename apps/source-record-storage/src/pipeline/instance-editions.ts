import type { InstanceData } from '../domain/instance-facts.js';
import { codes, LETTERS, tidy, type FieldText } from './instance-fields.js';

/** What else the instance view says of an edition: languages, dates, publication, subjects, classification, links, kind. */

const LANGUAGE_LETTERS = 3;

/** Values of 041 $a are codes of three letters, one or several in a row. */
export function addLanguages(data: InstanceData, field: FieldText): void {
  field.each((code, text) => {
    if (code !== 'a') return;
    const whole = text.length > LANGUAGE_LETTERS && text.length % LANGUAGE_LETTERS === 0;
    if (!whole) return addLanguage(data, text);
    for (let at = 0; at < text.length; at += LANGUAGE_LETTERS)
      addLanguage(data, text.slice(at, at + LANGUAGE_LETTERS));
  });
}

/** Blanks, `|||` and `###` stand for none. */
function addLanguage(data: InstanceData, text: string): void {
  const language = text.trim().toLowerCase();
  if (language === '' || language === '|||' || language === '###') return;
  const list = (data.languages ??= []);
  if (!list.includes(language)) list.push(language);
}

/** The places of 008 that the view shows: type of date, both dates, language. */
export function addFixedField(data: InstanceData, text: string): void {
  addLanguage(data, text.slice(35, 38));
  const dateType = withoutBlanks(text.slice(6, 7));
  const date1 = withoutBlanks(text.slice(7, 11));
  const date2 = withoutBlanks(text.slice(11, 15));
  if (dateType === '' && date1 === '' && date2 === '') return;
  data.dates = {
    ...(dateType === '' ? {} : { dateType }),
    ...(date1 === '' ? {} : { date1 }),
    ...(date2 === '' ? {} : { date2 }),
  };
}

const withoutBlanks = (text: string): string =>
  text.includes(' ') ? text.replaceAll(' ', '') : text;

const [PLACE, PUBLISHER, DATE] = [codes('a'), codes('b'), codes('c')];

export function addPublication(data: InstanceData, field: FieldText): void {
  const publisher = tidy(field.join(PUBLISHER));
  const place = tidy(field.join(PLACE));
  const date = field.join(DATE);
  const dateOfPublication = tidy(date);
  if (publisher === '' && place === '' && dateOfPublication === '') return;
  (data.publication ??= []).push({
    ...(publisher === '' ? {} : { publisher }),
    ...(place === '' ? {} : { place }),
    ...(dateOfPublication === '' ? {} : { dateOfPublication }),
  });
  if (date !== '') addYears(data, date);
}

/** Runs of exactly four digits. */
function addYears(data: InstanceData, text: string): void {
  let run = 0;
  for (let i = 0; i <= text.length; i++) {
    const char = text.charCodeAt(i);
    if (char >= 0x30 && char <= 0x39) run++;
    else {
      if (run === 4) addYear(data, text.slice(i - 4, i));
      run = 0;
    }
  }
}

function addYear(data: InstanceData, year: string): void {
  const list = (data.dateOfPublication ??= []);
  if (!list.includes(year)) list.push(year);
}

export function addSubject(data: InstanceData, field: FieldText): void {
  const value = tidy(field.join(LETTERS));
  if (value !== '') (data.subjects ??= []).push({ value });
}

const CLASS_AND_ITEM = codes('ab');

export function addClassification(data: InstanceData, field: FieldText, type: string): void {
  const classificationNumber = field.join(CLASS_AND_ITEM);
  if (classificationNumber !== '')
    (data.classifications ??= []).push({ classificationNumber, type });
}

export function addElectronicAccess(data: InstanceData, field: FieldText): void {
  field.each((code, uri) => {
    if (code === 'u') (data.electronicAccess ??= []).push({ uri });
  });
}

const MODES: Readonly<Record<string, string>> = {
  m: 'single unit',
  a: 'single unit',
  c: 'single unit',
  d: 'single unit',
  s: 'serial',
  b: 'serial',
  i: 'integrating resource',
};

export function addLeader(data: InstanceData, leader: string): void {
  const mode = MODES[leader[7] ?? ''];
  if (mode !== undefined) data.modeOfIssuance = mode;
  const kind = leader.slice(6, 8).trim();
  if (kind !== '') data.recordKind = kind;
}
