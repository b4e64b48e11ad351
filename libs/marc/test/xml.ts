/** MARCXML for the specs, written by hand as other programs write it. */

import type { FoundFrame, Framer } from '../src/framing.js';
import { LEADER } from './records.js';

export const SLIM = 'http://www.loc.gov/MARC21/slim';
export const OPEN = `<collection xmlns="${SLIM}">`;

/** A record in the plain form; `extra` stands behind its last field. */
export function xmlRecord(number: string, extra = '', prefix = ''): string {
  return (
    `<${prefix}record>\n  <${prefix}leader>${LEADER}</${prefix}leader>\n` +
    `  <${prefix}controlfield tag="001">${number}</${prefix}controlfield>\n` +
    `  <${prefix}datafield tag="245" ind1="1" ind2="0"><${prefix}subfield code="a">Møøse &amp; 漢字</${prefix}subfield></${prefix}datafield>\n` +
    `${extra}</${prefix}record>`
  );
}

/** All frames of a file pushed in pieces of the given sizes, the last size again and again. */
export function framesOf(
  framer: Framer,
  file: Buffer | string,
  ...sizes: readonly number[]
): FoundFrame[] {
  const bytes = Buffer.from(file);
  const frames: FoundFrame[] = [];
  for (let at = 0, step = 0; at < bytes.length; step++) {
    const size = sizes[Math.min(step, sizes.length - 1)] ?? bytes.length;
    // A copy that is wiped: a framer must not hold on to what it was given.
    const piece = Buffer.from(bytes.subarray(at, at + size));
    frames.push(...framer.push(piece));
    piece.fill(0x21);
    at += size;
  }
  return [...frames, ...framer.end()];
}

/** The bytes of the frames as text. */
export const textsOf = (file: Buffer | string, frames: readonly FoundFrame[]): string[] =>
  frames.map(({ offset, length }) => Buffer.from(file).toString('utf8', offset, offset + length));
