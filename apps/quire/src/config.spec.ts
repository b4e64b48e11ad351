import { describeSettings, readQuireSettings } from './config.js';
import { SettingsWrong } from './settings-reader.js';

const lines = (env: Record<string, string>): string[] =>
  describeSettings(readQuireSettings(env)).trimEnd().split('\n');

describe('the settings of the embedded mode', () => {
  it('hold those of the services, with their defaults', () => {
    const { services } = readQuireSettings({});
    expect(services['data-import']).toMatchObject({ fileBytesMax: 2_147_483_648, windowJob: 4 });
    expect(services['data-export']).toMatchObject({ uploadKilobytesMax: 500_000, windowJob: 4 });
    expect(services['source-record-storage']).toEqual({
      deletedRetentionDays: 0,
      oldGenerationsKeep: 0,
      snapshotRetentionDays: 0,
      tombstoneDays: 365,
      historyDays: 365,
    });
  });

  it('take those of the services from the environment', () => {
    const { services } = readQuireSettings({
      MAX_FILE_BYTES: '1000',
      WINDOW_JOB: '2',
      QUIRE_EXPORT_WORKERS: '5',
      QUIRE_IMPORT_SWEEP_MS: '100',
      SRS_OLD_GENERATIONS_KEEP: '3',
    });
    expect(services['data-import']).toMatchObject({
      fileBytesMax: 1000,
      windowJob: 2,
      sweepMs: 100,
    });
    expect(services['data-export']).toMatchObject({
      exportWorkers: 5,
      windowJob: 2,
      sweepMs: 5000,
    });
    expect(services['source-record-storage']).toMatchObject({ oldGenerationsKeep: 3 });
  });

  it('tell everything that is wrong at once, that of the services too', () => {
    const read = (): unknown =>
      readQuireSettings({ QUIRE_PORT: 'x', MAX_FILE_BYTES: '0', QUIRE_EXPORT_WORKERS: '65' });
    expect(read).toThrow(SettingsWrong);
    expect(read).toThrow(/QUIRE_PORT must be a whole number/);
    expect(read).toThrow(/MAX_FILE_BYTES must be greater than or equal to 1/);
    expect(read).toThrow(/QUIRE_EXPORT_WORKERS must be less than or equal to 64/);
  });

  it('are printed by the names people set, each once, secrets hidden', () => {
    const printed = lines({ QUIRE_ADMIN_PASSWORD: 'verysecret', MAX_FILE_BYTES: '77' });
    expect(printed).toContain('MAX_FILE_BYTES=77');
    expect(printed).toContain('WINDOW_JOB=4');
    expect(printed).toContain('QUIRE_ADMIN_PASSWORD=(hidden)');
    expect(printed).toContain('QUIRE_PORT=8080');
    expect(printed.join('\n')).not.toMatch(/verysecret|undefined|object/);
    const names = printed.map((line) => line.slice(0, line.indexOf('=')));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[A-Z][A-Z_]*$/);
  });
});
