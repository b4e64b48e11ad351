import { readFileSync } from 'node:fs';
import {
  readSettings,
  SettingsRefused,
  type Environment,
  type SettingsClass,
} from '@quire/service/config';

export class SettingsWrong extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`These settings are wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'SettingsWrong';
  }
}

/** Reads variables and collects what is wrong with them. An empty variable is an absent one. */
export class SettingsReader {
  private readonly problems: string[] = [];

  constructor(readonly env: Environment) {}

  wrong(name: string, reason: string): void {
    this.problems.push(`${name} ${reason}`);
  }

  /** @throws SettingsWrong that names everything that is wrong */
  done(): void {
    if (this.problems.length > 0) throw new SettingsWrong(this.problems);
  }

  text(name: string, fallback: string): string {
    const value = this.env[name];
    return value === undefined || value === '' ? fallback : value;
  }

  matching(name: string, fallback: string, pattern: RegExp, form: string): string {
    const value = this.text(name, fallback);
    if (!pattern.test(value)) this.wrong(name, `must be ${form}, not "${value}"`);
    return value;
  }

  optional(name: string, pattern: RegExp, form: string): string | undefined {
    const value = this.text(name, '');
    return value === '' ? undefined : this.matching(name, '', pattern, form);
  }

  integer(name: string, fallback: number, max: number): number {
    const value = this.text(name, String(fallback));
    if (/^\d+$/.test(value) && Number(value) <= max) return Number(value);
    this.wrong(name, `must be a whole number from 0 to ${max}, not "${value}"`);
    return fallback;
  }

  flag(name: string, fallback: boolean): boolean {
    return this.oneOf(name, ['true', 'false'] as const, fallback ? 'true' : 'false') === 'true';
  }

  oneOf<T extends string>(name: string, values: readonly T[], fallback: T): T {
    const value = this.text(name, fallback);
    const found = values.find((one) => one === value);
    if (found === undefined) this.wrong(name, `must be ${values.join(' or ')}, not "${value}"`);
    return found ?? fallback;
  }

  list(name: string): readonly string[] {
    return this.text(name, '')
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
  }

  /** The settings of a class; its defaults where one of them is wrong. */
  service<T extends object>(Settings: SettingsClass<T>): Readonly<T> {
    try {
      return readSettings(Settings, this.env);
    } catch (error) {
      if (!(error instanceof SettingsRefused)) throw error;
      this.problems.push(...error.problems);
      return new Settings();
    }
  }

  /** The value, or the content of the file that `<name>_FILE` names. */
  secret(name: string): string | undefined {
    const file = this.text(`${name}_FILE`, '');
    if (file === '') return this.text(name, '') || undefined;
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      this.wrong(`${name}_FILE`, `names a file that cannot be read: "${file}"`);
      return undefined;
    }
  }
}
