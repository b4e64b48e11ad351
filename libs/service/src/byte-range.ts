/**
 * The `Range` header of a download (RFC 9110, section 14). One range of bytes is served; several, other units and what
 * cannot be read are ignored, as if there were no header.
 */
export type RangeAsked =
  | { readonly kind: 'whole' }
  /** From `start` up to but not including `end`. */
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: RangeAsked = { kind: 'whole' };
const UNSATISFIABLE: RangeAsked = { kind: 'unsatisfiable' };

export function rangeOf(header: string | undefined, size: number): RangeAsked {
  const [, first = '', last = ''] = /^bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '') ?? [];
  if (first === '' && last === '') return WHOLE;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? UNSATISFIABLE : { kind: 'part', start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  if (last !== '' && Number(last) < start) return WHOLE;
  return start >= size ? UNSATISFIABLE : { kind: 'part', start, end };
}
