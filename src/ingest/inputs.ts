import type { AddressInfo } from 'node:net';

import type { Log } from '../flush/health.ts';
import type { Options } from '../option-types.ts';
import type { TcpUsage } from '../vitals-types.ts';
import type { IngestEvents, IngestOptions } from './ingest.ts';
import { createIngestThreads } from './ingest-threads.ts';
import type { LedgerSource } from './ledger-source.ts';
import { createLocalIngest } from './local-ingest.ts';
import type { BoundSocket } from './messages.ts';
import { createTcpServer } from './tcp-server.ts';

/** Where a collector receives. */
export interface BoundInputs {
  /** The first UDP socket; the others are as it is. */
  udp: BoundSocket;
  /** Undefined when it is off. */
  tcp: AddressInfo | undefined;
}

/** All that lines come in by: UDP, and TCP if it is asked for. Each has ledgers of its own. */
export interface Inputs {
  /** Those that receive; at first none. */
  readonly all: readonly LedgerSource[];
  /** How many threads read UDP. */
  readonly threads: number;
  /**
   * Binds everything. Rejects with `ERR_LISTEN` where an address is not to be had; then nothing is
   * bound.
   */
  start(): Promise<BoundInputs>;
  /** UDP datagrams that the kernel has thrown away; null where it does not tell. */
  readonly kernelDrops: number | null;
  tcpUsage(): TcpUsage;
  /**
   * Reads what lies in the sockets and closes them. Resolves with false if the deadline came before
   * they were empty.
   */
  stop(timeoutMs: number): Promise<boolean>;
  /** Ends the threads. After the last flip. */
  end(): Promise<void>;
  /** Gives the ledgers' memory back, when nobody reads them any more. */
  release(): void;
}

/** Creates them; nothing is bound before `start`. */
export function createInputs(
  options: Options,
  ingest: IngestOptions,
  events: IngestEvents & { log: Log },
): Inputs {
  const all: LedgerSource[] = [];
  const udp = createIngestThreads(options.threads, ingest, events);
  const tcp =
    options.tcp === null
      ? undefined
      : createTcpServer({
          ...options.tcp,
          log: events.log,
          openIngest: (local) =>
            createLocalIngest({
              ...ingest,
              ...local,
              transport: 'tcp',
              onHalfFull: events.onHalfFull,
            }),
        });

  return {
    all,
    get threads() {
      return udp.all.length;
    },
    async start() {
      try {
        const bound = { udp: await udp.start(options.port), tcp: await tcp?.listen() };
        const local = tcp?.ingest;
        all.push(...udp.all, ...(local === undefined ? [] : [local]));
        return bound;
      } catch (error) {
        await end();
        release();
        throw error;
      }
    },
    get kernelDrops() {
      return udp.kernelDrops;
    },
    tcpUsage: () => tcp?.usage() ?? NO_TCP,
    async stop(timeoutMs) {
      const drained = await Promise.all([udp.stop(timeoutMs), tcp?.stop(timeoutMs) ?? true]);
      return drained.every(Boolean);
    },
    end,
    release,
  };

  async function end(): Promise<void> {
    tcp?.end();
    await udp.end();
  }

  function release(): void {
    udp.release();
    tcp?.ingest?.release();
  }
}

const NO_TCP: TcpUsage = {
  configured: false,
  connections: 0,
  accepted: 0,
  refused: 0,
  bytes: 0,
};
