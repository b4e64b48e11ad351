import { Query, type PoolClient, type QueryConfig, type QueryResult } from 'pg';

/**
 * Several statements in one round trip: their messages of the extended protocol go out behind one Sync. After an error the
 * server skips everything up to the Sync, so that no statement runs when one before it has failed. What node-postgres calls
 * pipelining is something else: a Sync, and an answer, for each statement.
 */
export interface Step {
  /** Of a statement that the connection has prepared. */
  readonly name: string;
  readonly values: readonly string[];
}

/** Runs `before` and the statement, whose result it gives. */
export async function oneTrip<R extends object>(
  client: PoolClient,
  { before, statement }: Trip,
): Promise<QueryResult<R>> {
  try {
    return await new Promise<QueryResult<R>>((resolve, reject) => {
      client.query(
        new TripQuery(before, statement, (error, result) => {
          if (error) reject(error);
          else resolve(result as QueryResult<R>);
        }),
      );
    });
  } catch (error) {
    // As node-postgres does: its stack would lead to the socket, not to whoever asked.
    if (error instanceof Error) Error.captureStackTrace(error);
    throw error;
  }
}

export interface Trip {
  readonly before: readonly Step[];
  readonly statement: QueryConfig;
}

/** What node-postgres' connection and query do besides what their types say. The version is pinned, the specs of `tenant.ts` prove it. */
interface Wire {
  bind(portal: { portal: string; statement: string; values: readonly string[] }): void;
  execute(portal: { portal: string }): void;
  sync(): void;
}
interface WireQuery extends Query {
  prepare(wire: Wire): void;
  handleRowDescription(message: object): void;
  handleDataRow(message: object): void;
  handleCommandComplete(message: object, wire: Wire): void;
}
type Callback = (error: Error | null, result: unknown) => void;
const ExtendedQuery = Query as unknown as new (
  config: QueryConfig & { queryMode: 'extended' },
  callback: Callback,
) => WireQuery;

class TripQuery extends ExtendedQuery {
  private described = false;
  private completed = 0;

  constructor(
    private readonly before: readonly Step[],
    statement: QueryConfig,
    callback: Callback,
  ) {
    super({ ...statement, queryMode: 'extended' }, callback);
  }

  override prepare(wire: Wire): void {
    send(wire, this.before);
    super.prepare(wire);
  }

  /** The end of {@link prepare}: its portal is bound and described. */
  _getRows(wire: Wire): void {
    wire.execute({ portal: '' });
    wire.sync();
  }

  override handleRowDescription(message: object): void {
    this.described = true;
    super.handleRowDescription(message);
  }

  /** Rows of a step before are not described, and nobody wants them. */
  override handleDataRow(message: object): void {
    if (this.described) super.handleDataRow(message);
  }

  override handleCommandComplete(message: object, wire: Wire): void {
    if (this.completed === this.before.length) super.handleCommandComplete(message, wire);
    this.completed += 1;
  }
}

function send(wire: Wire, steps: readonly Step[]): void {
  for (const { name, values } of steps) {
    wire.bind({ portal: '', statement: name, values });
    wire.execute({ portal: '' });
  }
}
