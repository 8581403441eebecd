import type { AddressInfo } from 'node:net';

import type { Log } from '../flush/health.ts';
import type { Options } from '../option-types.ts';
import type { TcpUsage } from '../vitals-types.ts';
import { createIngest, type Ingest, type IngestEvents, type IngestOptions } from './ingest.ts';
import { createIngestThreads } from './ingest-threads.ts';
import type { LedgerSource } from './ledger-source.ts';
import type { Libc } from './libc.ts';
import { createLocalIngest } from './local-ingest.ts';
import type { BoundSocket } from './messages.ts';
import { createTcpServer } from './tcp-server.ts';
import { loadForUnix, openUnixSocket, type UnixSocket } from './unix-socket.ts';

/** Where a collector receives. */
export interface BoundInputs {
  /** The first UDP socket; the others are as it is. */
  udp: BoundSocket;
  /** Undefined when it is off. */
  tcp: AddressInfo | undefined;
  /** The absolute path of the unix socket; undefined when it is off. */
  unix: string | undefined;
}

/** All that lines come in by: UDP, and what else is asked for. Each has ledgers of its own. */
export interface Inputs {
  /** Those that receive; at first none. */
  readonly all: readonly LedgerSource[];
  /** How many threads read UDP. */
  readonly threads: number;
  /**
   * Binds everything. Rejects with `ERR_LISTEN` where an address is not to be had, and with
   * `ERR_OPTIONS` where there can be no unix socket; then nothing is bound.
   */
  start(): Promise<BoundInputs>;
  /** UDP datagrams that the kernel has thrown away; null where it does not tell. */
  readonly kernelDrops: number | null;
  tcpUsage(): TcpUsage;
  /** Those that were held back may read on, if they still are. */
  goOn(): void;
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

/** What is told of them, and asked. */
export interface InputsEvents extends IngestEvents {
  /**
   * What was read goes on more slowly than it comes: who can wait with more does. Not while the
   * store is away, or members of sets would keep everything else waiting for it.
   */
  isHeld: () => boolean;
  log: Log;
}

/** Creates them; nothing is bound before `start`. */
export function createInputs(
  options: Options,
  ingest: IngestOptions,
  events: InputsEvents,
): Inputs {
  const all: LedgerSource[] = [];
  const udp = createIngestThreads(options.threads, ingest, events);
  const tcp =
    options.tcp === null
      ? undefined
      : createTcpServer({
          ...options.tcp,
          log: events.log,
          isHeld: events.isHeld,
          openIngest: (local) =>
            createLocalIngest({
              ...ingest,
              ...local,
              transport: 'tcp',
              onHalfFull: events.onHalfFull,
            }),
        });

  let unixSocket: UnixSocket | undefined;
  let unix: Ingest | undefined;

  return {
    all,
    get threads() {
      return udp.all.length;
    },
    async start() {
      try {
        // First of all, since without it nothing is to be bound.
        const libc = options.unix === null ? undefined : await loadForUnix();
        const bound = {
          udp: await udp.start(options.port),
          tcp: await tcp?.listen(),
          unix: libc && (await startUnix(libc, options.unix!)),
        };
        const others = [tcp?.ingest, unix].filter((one) => one !== undefined);
        all.push(...udp.all, ...others);
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
    goOn: () => tcp?.goOn(),
    async stop(timeoutMs) {
      removeFile(); // who comes from now on finds that nobody is there
      const stopping = [udp, tcp, unix].map(async (one) => (await one?.stop(timeoutMs)) ?? true);
      return (await Promise.all(stopping)).every(Boolean);
    },
    end,
    release,
  };

  async function startUnix(libc: Libc, path: string): Promise<string> {
    const socket = openUnixSocket(libc, path, options.unixMode);
    unixSocket = socket;
    unix = createIngest({ ...ingest, host: path, receiver: 'recvmmsg', unix: socket }, events);
    await unix.start(0);
    return socket.path;
  }

  function removeFile(): void {
    unixSocket?.remove();
    unixSocket = undefined;
  }

  async function end(): Promise<void> {
    removeFile();
    tcp?.end();
    await Promise.all([udp.end(), unix?.end()]);
  }

  function release(): void {
    udp.release();
    tcp?.ingest?.release();
    unix?.release();
  }
}

const NO_TCP: TcpUsage = {
  configured: false,
  connections: 0,
  accepted: 0,
  refused: 0,
  bytes: 0,
};
