import { Writable } from 'node:stream';
import { logTo } from './log.js';

function logged(error: Error): string {
  let text = '';
  const lines = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString('utf8');
      done();
    },
  });
  logTo(lines, 'info').error({ err: error }, 'it failed');
  return text;
}

/** What TypeORM and node-postgres hang on an error when a statement fails. */
function failedStatement(): Error {
  const driver = Object.assign(new Error('duplicate key value violates unique constraint "x"'), {
    code: '23505',
    detail: 'Key (title)=(A title of a record) already exists.',
    where: 'COPY record, line 1: "A title of a record"',
  });
  return Object.assign(new Error(driver.message, { cause: driver }), {
    query: 'insert into record values ($1)',
    parameters: ['A title of a record'],
    driverError: driver,
  });
}

describe('an error in the log', () => {
  it('has its message, code and causes', () => {
    const text = logged(failedStatement());
    expect(JSON.parse(text)).toMatchObject({
      msg: 'it failed',
      err: {
        type: 'Error',
        message: 'duplicate key value violates unique constraint "x"',
        cause: { code: '23505' },
      },
    });
    expect(text).toContain('log.spec.ts');
  });

  it('has those that it stands for', () => {
    const both = new AggregateError([failedStatement(), new Error('disk full')], 'failed for alma');
    const { err } = JSON.parse(logged(both)) as { err: object };
    expect(err).toMatchObject({
      message: 'failed for alma',
      errors: [{ cause: { code: '23505' } }, { message: 'disk full' }],
    });
  });

  it('has nothing of the values that the statement carried', () => {
    const error = failedStatement();
    expect(logged(error)).not.toContain('A title of a record');
    expect(logged(new AggregateError([error], 'all'))).not.toContain('A title of a record');
  });
});
