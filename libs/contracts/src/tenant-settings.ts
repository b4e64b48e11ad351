import { checkField } from './check-contract.js';
import { Anything, Int, ListOf, Text, type FieldType } from './fields.js';

/** What each tenant sets for itself (conventions, section 6): one list of definitions per service. */
export interface SettingDefinition<T> {
  /** `null`: nothing is set. */
  readonly default: T;
  readonly description: string;
  /** A value that is not `null`: in the form in which it is kept, or what is wrong with it, as the 422 says it. */
  readonly check: (value: unknown) => CheckedSetting<T>;
}

export type CheckedSetting<T> = { readonly value: T } | { readonly message: string };

/** In the order in which they are shown. */
export type SettingDefinitions = Readonly<Record<string, SettingDefinition<unknown>>>;

export type SettingValue<D> = D extends SettingDefinition<infer T> ? T : never;

export function choiceSetting<T extends string>(
  values: readonly T[],
  preset: NoInfer<T>,
  description: string,
): SettingDefinition<T> {
  return { default: preset, description, check: byType<T>({ kind: 'enum', values }) };
}

export function flagSetting(preset: boolean, description: string): SettingDefinition<boolean> {
  return { default: preset, description, check: byType<boolean>({ kind: 'boolean' }) };
}

/** An integer within its bounds; `preset` may be `null`. */
export function integerSetting<T extends number | null>(
  { min, max }: { readonly min: number; readonly max: number },
  preset: T,
  description: string,
): SettingDefinition<number | T> {
  return { default: preset, description, check: byType<number>({ kind: 'integer', min, max }) };
}

/** A text that may be left unset. */
export function textSetting(
  rules: { readonly pattern?: string; readonly max?: number },
  description: string,
): SettingDefinition<string | null> {
  return { default: null, description, check: byType<string>({ kind: 'text', ...rules }) };
}

function byType<T>(type: FieldType): (value: unknown) => CheckedSetting<T> {
  return (value) => {
    const checked = checkField(type, value, 'value');
    if ('value' in checked) return { value: checked.value as T };
    return { message: checked.violations[0]?.message ?? 'is not valid' };
  };
}

export class TenantSetting {
  @Text() readonly key: string;
  @Anything({ optional: true }) readonly value?: unknown;
  @Anything({ optional: true }) readonly default?: unknown;
  @Text() readonly description: string;
}

export class TenantSettingList {
  @ListOf(() => TenantSetting) readonly settings: readonly TenantSetting[];
  @Int() readonly totalRecords: number;
}

/** `null` and an absent value mean: as by default. */
export class ChangeTenantSetting {
  @Anything({ optional: true }) readonly value?: unknown;
}
