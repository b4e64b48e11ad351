import type { InstanceData } from '../domain/instance-facts.js';
import { codes, type FieldText } from './instance-fields.js';

/** Numbers of the instance view: what identifies an edition, in the record's words and in forms to be searched by. */

export function addIdentifiers(data: InstanceData, field: FieldText, tag: number): void {
  switch (tag) {
    case 20:
      return addIsbn(data, field);
    case 22:
      return addIssn(data, field);
    case 28:
      return add(data, field.join(NUMBER_AND_SOURCE), 'Publisher or distributor number');
    case 35:
      return addControlNumbers(data, field);
    default:
      field.each((code, text) => {
        const type = code === 'a' ? typeOf(field, tag) : tag === 10 && code === 'z' ? CANCELED : '';
        if (type !== '') add(data, text, type);
      });
  }
}

const NUMBER_AND_SOURCE = codes('ab');
const CANCELED = 'Canceled LCCN';
const OTHER_STANDARD = 'Other standard identifier';

function typeOf(field: FieldText, tag: number): string {
  switch (tag) {
    case 10:
      return 'LCCN';
    case 24:
      return standardOf(field);
    case 30:
      return 'CODEN';
    case 74:
      return 'GPO item number';
    default:
      return 'Report number';
  }
}

function standardOf(field: FieldText): string {
  switch (field.ind1) {
    case 0x31:
      return 'UPC';
    case 0x32:
      return 'ISMN';
    case 0x37:
      return field.first('2') ?? OTHER_STANDARD;
    default:
      return OTHER_STANDARD;
  }
}

function add(data: InstanceData, value: string, type: string): void {
  if (value !== '') (data.identifiers ??= []).push({ value, type });
}

/** A number is followed by what it belongs to ($c, $q); a field with several numbers has several values. */
function addIsbn(data: InstanceData, field: FieldText): void {
  let value = '';
  field.each((code, text) => {
    if (code === 'a') {
      add(data, value, 'ISBN');
      value = text;
      addIsbnForms(data, text);
    } else if ((code === 'c' || code === 'q') && value !== '') value += ` ${text}`;
    else if (code === 'z') add(data, text, 'Invalid ISBN');
  });
  add(data, value, 'ISBN');
}

function addIsbnForms(data: InstanceData, text: string): void {
  const number = digitsBeforeBlank(text);
  if (number === '') return;
  note((data.isbn ??= []), number);
  const other =
    number.length === 10 ? isbn13Of(number) : number.length === 13 ? isbn10Of(number) : undefined;
  if (other !== undefined) note(data.isbn, other);
}

/** Digits and X up to the first blank; nothing where there is no digit. */
function digitsBeforeBlank(text: string): string {
  let number = '';
  let hasDigit = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char <= 0x20) break;
    if (isDigit(char)) hasDigit = true;
    else if ((char | 0x20) !== 0x78) continue;
    number += text[i]!.toUpperCase();
  }
  return hasDigit ? number : '';
}

const isDigit = (char: number): boolean => char >= 0x30 && char <= 0x39;

/** Undefined if it is no ISBN: X stands at the end only. */
function isbn13Of(isbn10: string): string | undefined {
  const body = `978${isbn10.slice(0, 9)}`;
  return body.includes('X') ? undefined : body + checkDigit13(body);
}

/** Undefined if there is none: only those with 978 have one. */
function isbn10Of(isbn13: string): string | undefined {
  const body = isbn13.slice(3, 12);
  if (!isbn13.startsWith('978') || isbn13.includes('X')) return undefined;
  return body + checkDigit10(body);
}

function checkDigit13(body: string): string {
  let sum = 0;
  for (let i = 0; i < 12; i++) sum += (body.charCodeAt(i) - 0x30) * (i % 2 === 0 ? 1 : 3);
  return String((10 - (sum % 10)) % 10);
}

function checkDigit10(body: string): string {
  let sum = 0;
  for (let i = 0; i < 9; i++) sum += (body.charCodeAt(i) - 0x30) * (10 - i);
  const digit = (11 - (sum % 11)) % 11;
  return digit === 10 ? 'X' : String(digit);
}

function addIssn(data: InstanceData, field: FieldText): void {
  field.each((code, text) => {
    if (code === 'a') {
      add(data, text, 'ISSN');
      addIssnForms(data, text);
    } else if (code === 'l') add(data, text, 'Linking ISSN');
    else if (code === 'y' || code === 'z' || code === 'm') add(data, text, 'Invalid ISSN');
  });
}

const ISSN_DIGITS = 8;

function addIssnForms(data: InstanceData, text: string): void {
  const bare = digitsBeforeBlank(text);
  if (bare === '') return;
  const list = (data.issn ??= []);
  if (bare.length === ISSN_DIGITS) note(list, `${bare.slice(0, 4)}-${bare.slice(4)}`);
  note(list, bare);
}

function addControlNumbers(data: InstanceData, field: FieldText): void {
  field.each((code, text) => {
    if (code === 'z') add(data, text, 'Cancelled system control number');
    if (code !== 'a') return;
    const isOclc = text.length >= OCLC.length && text.slice(0, OCLC.length).toLowerCase() === OCLC;
    add(data, text, isOclc ? 'OCLC' : 'System control number');
    const number = isOclc ? oclcNumber(text) : '';
    if (number !== '') note((data.oclc ??= []), number);
  });
}

const OCLC = '(ocolc)';

/** The digits behind `(OCoLC)`, where `ocm`, `ocn` or `on` may stand before them; without leading zeros. */
function oclcNumber(text: string): string {
  let from = OCLC.length;
  while (from < text.length && !isDigit(text.charCodeAt(from))) from++;
  let to = from;
  while (to < text.length && isDigit(text.charCodeAt(to))) to++;
  while (from < to && text.charCodeAt(from) === 0x30) from++;
  return text.slice(from, to);
}

function note(list: string[], value: string): void {
  if (!list.includes(value)) list.push(value);
}
