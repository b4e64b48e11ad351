import { failures } from './failures.js';

/** `slice_size` of the configuration that other clients write (`data-export.md`, 2.2, 24). */
export const SLICE_SIZE = 'slice_size';
export const SLICE_SIZE_MAX = 2_147_483_647;

/** @throws Failure 400 */
export function sliceSizeOf(value: string | undefined): number {
  const text = value?.trim() ?? '';
  const number = Number(text);
  if (!/^[+-]?\d+$/.test(text) || Math.abs(number) > SLICE_SIZE_MAX)
    throw failures.sliceSizeNoNumber(String(value));
  if (number < 1) throw failures.sliceSizeTooSmall(text);
  return number;
}
