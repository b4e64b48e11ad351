import { createWriteStream, type WriteStream } from 'node:fs';

/*
 * Keeps what the processes write, and sees what none may: Node ends a process for a rejection that nobody handles, an exception
 * that nobody catches, or a heap that is full, and says so in lines that no log of ours has. And an event that a service gives
 * up is one that nobody handles any more.
 */
const LAST_WORDS = /^Node\.js v\d+\.\d+|UnhandledPromiseRejection|^FATAL ERROR:/;
const GIVEN_UP = /"msg":"event (given up|refused)"/;

export class ProcessLog {
  /** Since the last look. */
  private readonly seen: string[] = [];
  private readonly file: WriteStream;

  constructor(path: string) {
    this.file = createWriteStream(path);
  }

  line(name: string, line: string): void {
    this.file.write(`${name} ${line}\n`);
    if (LAST_WORDS.test(line)) this.seen.push(`${name} crashed: ${line}`);
    if (GIVEN_UP.test(line)) this.seen.push(`${name} gave up an event: ${line}`);
  }

  /** Between the lines of two runs. */
  heading(text: string): void {
    this.file.write(`== ${text}\n`);
  }

  /** @returns crashes and given up events that were not told of yet */
  faults(): string[] {
    return this.seen.splice(0);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.file.end(resolve));
  }
}
