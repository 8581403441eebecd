import { createIngest, type Ingest, type IngestEvents, type IngestOptions } from './ingest.ts';
import type { BoundSocket } from './messages.ts';
import type { ReceiverKind } from './receiver.ts';

/** The ingest threads of a collector: each has a socket on the one port, and a ledger of its own. */
export interface IngestThreads {
  /** Those that receive; at first none. */
  readonly all: readonly Ingest[];
  /**
   * Starts the threads. Where sockets cannot share a port, there is one, and `isShared` is false.
   * Rejects with `ERR_LISTEN` where the address is not to be had; then none is left running.
   *
   * @param port 0 takes a free one.
   */
  start(port: number): Promise<BoundSocket>;
  /** What the kernel has thrown away, as of the last flips; null where it does not tell. */
  readonly kernelDrops: number | null;
  /**
   * Reads what lies in the sockets and closes them. Resolves with false if the deadline came
   * before they were empty.
   */
  stop(timeoutMs: number): Promise<boolean>;
  /** Ends the threads. After the last flip. */
  end(): Promise<void>;
  /** Gives the ledgers' memory back, when nobody reads them any more. */
  release(): void;
}

/** Creates so many ingest threads; see {@link IngestThreads}. */
export function createIngestThreads(
  count: number,
  options: IngestOptions,
  events: IngestEvents,
): IngestThreads {
  const all: Ingest[] = [];
  let kind: ReceiverKind | undefined;
  return {
    all,
    async start(port) {
      try {
        const first = await add(port, count > 1 ? 'first' : 'alone');
        kind = first.receiver;
        if (first.isShared) {
          while (all.length < count) await add(first.port, 'next');
        }
        return first;
      } catch (error) {
        await end();
        throw error;
      }
    },
    get kernelDrops() {
      const known = all.map((one) => one.kernelDrops).filter((drops) => drops !== null);
      if (known.length === 0) return null;
      // `dgram` knows those of all together: the one that has looked last knows most.
      return kind === 'dgram' ? Math.max(...known) : known.reduce((sum, drops) => sum + drops, 0);
    },
    async stop(timeoutMs) {
      // All at once: a socket that is closed alone leaves its senders to the others.
      const drained = await Promise.all(all.map((one) => one.stop(timeoutMs)));
      return drained.every(Boolean);
    },
    end,
    release() {
      for (const one of all) one.release();
    },
  };

  function add(port: number, sharing: 'alone' | 'first' | 'next'): Promise<BoundSocket> {
    const ingest = createIngest(options, events);
    all.push(ingest);
    return ingest.start(port, sharing);
  }

  async function end(): Promise<void> {
    await Promise.all(all.map((one) => one.end()));
  }
}
