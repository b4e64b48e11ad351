import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { GuardedProcess } from '@quire/testing/lab/guarded-process';
import { environment } from '@quire/testing/lab/config';

/*
 * Somebody else's eye on the broker: kcat (librdkafka), as Debian packages it. It prints a message a line, as JSON with the
 * headers in one flat list.
 */
export const hasKcat = spawnSync('kcat', ['-V']).status === 0;

/** A message as it stands in Kafka. */
export interface KafkaMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
}

interface Line extends Omit<KafkaMessage, 'headers'> {
  readonly headers?: readonly string[];
}

const METADATA_TIMEOUT_MS = 60_000;
/** The lab's broker keeps the topics of every spec that ran on it. */
const METADATA_BYTES_MAX = 64 * 1024 * 1024;

/** A consumer group of one member, from the first message on. Its topics must be there. */
export class Kcat implements AsyncDisposable {
  readonly messages: KafkaMessage[] = [];
  private readonly program: GuardedProcess;

  constructor(brokers: readonly string[], group: string, topics: readonly string[]) {
    const start = ['-X', 'auto.offset.reset=earliest'];
    const words = ['-b', brokers.join(','), '-J', '-u', '-q', ...start, '-G', group, ...topics];
    this.program = new GuardedProcess('kcat', words, {
      env: environment,
      onLine: (line) => {
        // It speaks of its own affairs, in lines that begin with %.
        if (line.startsWith('{')) this.messages.push(messageOf(line));
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.end('SIGTERM');
  }
}

function messageOf(line: string): KafkaMessage {
  const { headers = [], ...message } = JSON.parse(line) as Line;
  const pairs = headers.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name, headers[at + 1] ?? '']] : [],
  );
  return { ...message, headers: Object.fromEntries(pairs) };
}

/** Partitions by topic, as the broker lists them. */
export async function topicsOf(brokers: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const words = ['-b', brokers.join(','), '-L', '-J'];
  const options = { timeout: METADATA_TIMEOUT_MS, maxBuffer: METADATA_BYTES_MAX };
  const { stdout } = await promisify(execFile)('kcat', words, options);
  const { topics } = JSON.parse(stdout) as {
    readonly topics: readonly { readonly topic: string; readonly partitions: readonly unknown[] }[];
  };
  return new Map(topics.map(({ topic, partitions }) => [topic, partitions.length]));
}
