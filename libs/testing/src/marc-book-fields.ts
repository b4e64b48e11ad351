/** The fields of a made-up book's record. */

import { controlField, dataField, type FieldBytes } from '@quire/marc/iso2709/write';
import type { Book, Draw } from './marc-book.js';
import {
  CHAPTERS,
  GENRES,
  NOTES,
  PERIODS,
  PLACES,
  SENTENCES,
  SUBDIVISIONS,
  SUBJECTS,
  TONGUES,
} from './marc-words.js';

/** A data field as cataloguers write it down: `field('264 _1', '$aLondon :$bQuire House')`. No text holds a `$`. */
function field(place: string, text: string): FieldBytes {
  const [tag = '', indicators = ''] = place.split(' ');
  const subfields = text
    .split('$')
    .slice(1)
    .map((part) => [part[0]!, part.slice(1)] as const);
  return dataField(tag, indicators.replaceAll('_', ' '), subfields);
}

const twoDigits = (value: number) => String(value).padStart(2, '0');

/** What even the shortest record has. */
export function essentialFields(book: Book): FieldBytes[] {
  const { draw, year, tongue } = book;
  const entered = [draw.between(70, 99), draw.between(1, 12), draw.between(1, 28)].map(twoDigits);
  const illustrations = draw.pick(['    ', 'a   ', 'ab  ']);
  const imprint = `s${year}    ${tongue.country}${illustrations}`;
  const rest = `     00${draw.between(0, 1)} ${draw.pick(['0', '1', 'p'])} ${tongue.code} d`;
  return [
    controlField('001', book.hrid),
    controlField('008', entered.join('') + imprint + rest.padStart(18)),
    ...titleFields(book),
  ];
}

/** 245, and its 880 where the language has another script. */
function titleFields({ draw, tongue, title, kind, author }: Book): FieldBytes[] {
  const parts = (form: 0 | 1) => {
    const [surname = '', forename = ''] = author[form].split(', ');
    return [
      ['a', `${title[form]} :`],
      ['b', `${kind[form]} /`],
      ['c', `${forename} ${surname}.`],
    ] as const;
  };
  const skip = /^(The|A|La|Le|Der|Die|Das|Ho|Hē|To) /.exec(title[1])?.[0].length ?? 0;
  const indicators = `1${skip}`;
  if (!tongue.script || draw.chance(0.3)) return [dataField('245', indicators, parts(0))];
  return [
    dataField('245', indicators, [['6', '880-01'], ...parts(1)]),
    dataField('880', indicators, [['6', `245-01/${tongue.script}`], ...parts(0)]),
  ];
}

/** What an ordinary record has besides, in the order in which a short one goes without. */
export function usualFields(book: Book): (() => FieldBytes)[] {
  const { draw, year, tongue, subject } = book;
  const pages = draw.between(48, 720);
  const [heading = '', lcClass = '', dewey = ''] = subject;
  const author = book.author[1];
  const city = () => book.word('cities')[1];
  const publisher = () => book.word('publishers')[1];
  const binding = () => draw.pick(['hardcover', 'paperback', 'electronic bk.']);
  return [
    () => field('100 1_', `$a${author},$eauthor.`),
    () => field('264 _1', `$a${city()} :$b${publisher()},$c${year}.`),
    () => field('300 __', `$a${pages} pages :$billustrations ;$c${draw.between(18, 31)} cm`),
    () => controlField('005', changeTime(draw)),
    () => controlField('003', 'QUIRE'),
    () => field('035 __', `$a(QuSample)${draw.digits(9)}`),
    () => field('040 __', `$aQUI$beng$erda$cQUI$d${draw.pick(['QUI', 'XNO', 'XSU'])}`),
    () => field('020 __', `$a${isbn(draw)}$q${binding()}`),
    () => subjectField(book),
    () => field('050 _4', `$a${lcClass}$b.${author[0]}${draw.digits(2)} ${year}`),
    () => field('082 04', `$a${dewey}$223`),
    () => field('336 __', '$atext$btxt$2rdacontent'),
    () => field('337 __', '$aunmediated$bn$2rdamedia'),
    () => field('338 __', '$avolume$bnc$2rdacarrier'),
    () => field('655 _7', `$a${draw.pick(GENRES)}.$2lcgft`),
    () => field('020 __', `$a${isbn(draw)}`),
    () => field('035 __', `$a(OldSys)${draw.digits(7)}`),
    () => field('504 __', `$aIncludes bibliographical references (pages ${pages - 9}-${pages}).`),
    () => field('041 1_', `$a${tongue.code}$h${draw.pick(TONGUES).code}`),
    () => field('490 1_', `$aStudies in ${heading.toLowerCase()} ;$v${draw.between(1, 60)}`),
  ];
}

/** One more field, of a kind that may repeat; long texts where much is missing. */
export function fillingField(book: Book, missing: number): FieldBytes {
  const { draw } = book;
  const roll = draw.share();
  if (missing > 900 && roll < 0.05) {
    return field('505 0_', `$a${phrases(book, CHAPTERS, ' -- ', Math.min(missing, 1_500))}`);
  }
  if (missing > 400 && roll < 0.12) {
    const length = Math.min(missing, draw.between(250, 900));
    return field('520 __', `$a${phrases(book, SENTENCES, ' ', length)}`);
  }
  if (roll < 0.66) return subjectField(book);
  if (roll < 0.76) return addedName(book);
  if (roll < 0.82)
    return field('655 _7', `$a${draw.pick(GENRES)}.$2${draw.pick(['lcgft', 'fast'])}`);
  if (roll < 0.9) return field('500 __', `$a${book.filled(draw.pick(NOTES))}`);
  if (roll < 0.95) {
    return field('651 _0', `$a${draw.pick(PLACES)}$xHistory$y${draw.pick(PERIODS)}.`);
  }
  const address = `https://library.example.org/${book.hrid}/${draw.digits(6)}`;
  return field('856 40', `$u${address}$zConnect to the full text online`);
}

function subjectField({ draw, subject }: Book): FieldBytes {
  let text = `$a${draw.chance(0.4) ? subject[0] : draw.pick(SUBJECTS)[0]}`;
  if (draw.chance(0.3)) text += `$z${draw.pick(PLACES)}`;
  if (draw.chance(0.8)) text += `$x${draw.pick(SUBDIVISIONS)}`;
  if (draw.chance(0.3)) text += `$y${draw.pick(PERIODS)}`;
  return field('650 _0', `${text}.`);
}

function addedName(book: Book): FieldBytes {
  const form = book.draw.chance(0.5) ? 0 : 1;
  const role = book.draw.pick(['editor', 'translator', 'illustrator']);
  return field('700 1_', `$a${book.name()[form]},$e${role}.`);
}

/** Phrases joined until the text is as long as wanted. */
function phrases(
  book: Book,
  patterns: readonly string[],
  separator: string,
  length: number,
): string {
  let text = book.filled(book.draw.pick(patterns));
  while (text.length < length) text += separator + book.filled(book.draw.pick(patterns));
  return text;
}

/** Date and time of the last change, as in 005. */
function changeTime(draw: Draw): string {
  const date = [draw.between(10, 25), draw.between(1, 12), draw.between(1, 28)];
  const time = [draw.between(0, 23), draw.between(0, 59), draw.between(0, 59)];
  return `20${[...date, ...time].map(twoDigits).join('')}.0`;
}

/** An ISBN of 13 digits with a true check digit, in a range that no publisher has. */
function isbn(draw: Draw): string {
  const digits = `97999${draw.digits(7)}`;
  const sum = [...digits].reduce((all, digit, i) => all + Number(digit) * (i % 2 ? 3 : 1), 0);
  return digits + String((10 - (sum % 10)) % 10);
}
