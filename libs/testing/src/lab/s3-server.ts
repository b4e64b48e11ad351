import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'minio';
import { quietPorts } from '../quiet-ports.js';
import { environment, type EngineKind, type S3Address } from './config.js';
import { Engine, startElsewhere, type EngineHost } from './engine.js';
import { runGuarded } from './guarded-process.js';
import { ProgramHost } from './program-host.js';
import { cached, needPrograms, type NeededProgram } from './program-cache.js';

const MODULE = 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c';
const VERSION = '2026-02-12';
/** The last image that its makers published; what came later exists as source only. */
const IMAGE_VERSION = 'RELEASE.2025-09-07T16-13-09Z';
const IMAGE = `minio/minio:${IMAGE_VERSION}`;

const REGION = 'us-east-1';
const BUCKET = 'quire';
const ASK_TIMEOUT_MS = 2_000;
const BUILD_TIMEOUT_MS = 40 * 60_000; // 5 min alone on two cores, 21 with ten others

const GO: NeededProgram = { title: 'Go', program: 'go', versionArgs: ['version'] };

/** An S3 server with keys of its own and one bucket, `quire`, which is made at each start. */
export class S3Server extends Engine implements S3Address {
  readonly region = REGION;
  readonly bucket = BUCKET;

  /** The same after a restart. */
  readonly url: string;

  constructor(
    engine: string,
    host: EngineHost,
    port: number,
    private readonly keys: Keys,
  ) {
    super(engine, host);
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts a new one on a free port. @throws EngineMissing when it cannot be had here */
  static async open(kind: EngineKind): Promise<S3Server> {
    const open = kind === 'containers' ? await asContainer() : await asProgram();
    return await startElsewhere(open);
  }

  get accessKeyId(): string {
    return this.keys.id;
  }

  get secretAccessKey(): string {
    return this.keys.secret;
  }

  protected override async answers(): Promise<boolean> {
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
    const { ok } = await fetch(`${this.url}/minio/health/ready`, { signal });
    if (!ok) return false;
    const { hostname, port } = new URL(this.url);
    const client = new Client({
      endPoint: hostname,
      port: Number(port),
      useSSL: false,
      region: REGION,
      accessKey: this.accessKeyId,
      secretKey: this.secretAccessKey,
      retryOptions: { disableRetry: true },
    });
    if (!(await client.bucketExists(BUCKET))) await client.makeBucket(BUCKET, REGION);
    return true;
  }
}

interface Keys {
  readonly id: string;
  readonly secret: string;
}

function newKeys(): Keys {
  return { id: randomBytes(8).toString('hex'), secret: randomBytes(20).toString('hex') };
}

function environmentOf({ id, secret }: Keys): Record<string, string> {
  return {
    MINIO_ROOT_USER: id,
    MINIO_ROOT_PASSWORD: secret,
    MINIO_BROWSER: 'off',
    MINIO_UPDATE: 'off',
  };
}

async function asProgram(): Promise<() => Promise<S3Server>> {
  const folder = await cached(`minio-${VERSION}`, buildMinio);
  return async () => {
    const [port = 0] = await quietPorts(1);
    const keys = newKeys();
    const host = await ProgramHost.open({
      program: join(folder, 'minio'),
      args: (dataDir) => [
        ...['server', '--quiet', '--json', '--address', `127.0.0.1:${port}`],
        dataDir,
      ],
      env: environmentOf(keys),
    });
    return new S3Server(`MinIO ${VERSION}`, host, port, keys);
  };
}

async function asContainer(): Promise<() => Promise<S3Server>> {
  const { ContainerHost, LoopbackContainer } = await import('./container-host.js');
  const { Wait } = await import('testcontainers');
  return async () => {
    const [port = 0] = await quietPorts(1);
    const keys = newKeys();
    const host = new ContainerHost(() =>
      new LoopbackContainer(IMAGE)
        .withEnvironment(environmentOf(keys))
        .withCommand(['server', '--quiet', '/data'])
        .withExposedPorts({ container: 9000, host: port })
        .withWaitStrategy(Wait.forHttp('/minio/health/ready', 9000)),
    );
    return new S3Server(`MinIO ${IMAGE_VERSION} (container)`, host, port, keys);
  };
}

/** One binary of 112 MB, 4–5 min on two cores and 2.2 GB that are removed again. */
async function buildMinio(folder: string): Promise<void> {
  await needPrograms('Building the S3 server MinIO', [GO]);
  const goPath = join(folder, 'gopath');
  const goCache = join(folder, 'gocache');
  await mkdir(goCache, { recursive: true });
  await runGuarded('go', ['install', '-p', '2', '-trimpath', '-ldflags', '-s -w', MODULE], {
    cwd: folder,
    env: {
      ...environment,
      CGO_ENABLED: '0',
      GOFLAGS: '-modcacherw -buildvcs=false',
      GOBIN: folder,
      GOPATH: goPath,
      GOCACHE: goCache,
    },
    timeoutMs: BUILD_TIMEOUT_MS,
  });
  for (const rest of [goPath, goCache]) await rm(rest, { recursive: true, force: true });
}
