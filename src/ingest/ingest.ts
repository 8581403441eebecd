import { closeSync, writeSync } from 'node:fs';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

import { ErrorCode, errorText, StatcolError } from '../errors.ts';
import { createLedgerReader, type LedgerReader } from '../ledger/reader.ts';
import { hostPort } from './address.ts';
import {
  type CreateLedger,
  type Naming,
  noLedger,
  type OldLedger,
  type Seed,
  seedLedger,
  takeOver,
} from './kept-ledger.ts';
import type { LedgerSource } from './ledger-source.ts';
import { listenFault } from './listen-fault.ts';
import type { ReceiverChoice, Sharing } from './receiver.ts';
import type {
  BoundSocket,
  FromIngest,
  IngestThreadOptions,
  LedgerHandle,
  ToIngest,
} from './messages.ts';
import { threadFlags } from './thread-flags.ts';
import type { UnixSocket } from './unix-socket.ts';

/** What an ingest is made with. */
export interface IngestOptions extends Naming {
  host: string;
  createLedger: CreateLedger;
  receiveBufferBytes: number;
  receiver: ReceiverChoice;
  /** A unix socket, to be read in place of a UDP one, by `recvmmsg`. Closed at the end. */
  unix?: Pick<UnixSocket, 'path' | 'descriptors'> | undefined;
  /** A name has as many sets of tags as it may have, and came with another. */
  onFolded?: ((name: string) => void) | undefined;
}

/** What an ingest reports by itself. */
export interface IngestEvents {
  /** The timing log is half full: drain soon. */
  onHalfFull: () => void;
  /**
   * The thread died. What it accepted can still be drained, and `renew` starts another in its
   * place, where the cause is none that would come again.
   */
  onDeath: (error: StatcolError, mayGoOn: boolean) => void;
}

/** The main thread's side of an ingest thread: it starts it, flips its ledger, and stops it. */
export interface Ingest extends LedgerSource {
  /**
   * Starts the thread and binds. Rejects with `ERR_LISTEN` where the address is not to be had.
   *
   * @param port 0 takes a free one.
   */
  start(port: number, sharing?: Sharing): Promise<BoundSocket>;
  /** What the kernel has thrown away, as of the last flip; null where it does not tell. */
  readonly kernelDrops: number | null;
  /** Reads what lies in the socket and closes it. */
  stop(timeoutMs: number): Promise<boolean>;
  /** Ends the thread. After the last flip. */
  end(): Promise<void>;
  /** Gives the ledger's memory back, when nobody reads it any more: then it holds nothing. */
  release(): void;
}

/** Creates an ingest; see {@link Ingest}. */
export function createIngest(options: IngestOptions, events: IngestEvents): Ingest {
  const { names, dialect, tagSetsMax, hashSeed } = options;
  let kept = options.createLedger();
  let reader = createLedgerReader(kept.ledger, kept.id);
  let thread: Worker | undefined;
  let bound: BoundSocket | undefined;
  let sharing: Sharing = 'alone';
  let dead: StatcolError | undefined;
  let isStopped = false;
  let ending: Promise<void> | undefined;
  let isSocketClosed = false;
  let kernelDrops: number | null = null;
  // What the kernel has told of sockets that died with their threads.
  let dropsBefore = 0;
  // What the thread has been asked for and has not answered yet.
  const waiting = new Map<FromIngest['type'], Waiting>();

  return {
    transport: options.unix === undefined ? 'udp' : 'unix',
    start,
    get isDead() {
      return dead !== undefined && !isStopped;
    },
    get kernelDrops() {
      return kernelDrops === null ? null : kernelDrops + dropsBefore;
    },
    hasNew: () => reader.hasNew(),
    flip,
    renew,
    stop,
    end: () => (ending ??= end()),
    release() {
      const old = kept;
      kept = noLedger();
      reader = createLedgerReader(kept.ledger);
      old.release();
    },
  };

  async function start(port: number, how: Sharing = 'alone'): Promise<BoundSocket> {
    sharing = how;
    try {
      return await startThread(port, kept.handle);
    } catch (error) {
      await (ending ??= end());
      throw error;
    }
  }

  async function startThread(port: number, ledger: LedgerHandle): Promise<BoundSocket> {
    const workerData: IngestThreadOptions = {
      host: options.host,
      port,
      sharing,
      naming: { names, dialect, tagSetsMax, hashSeed },
      receiveBufferBytes: options.receiveBufferBytes,
      receiver: bound?.receiver ?? options.receiver,
      path: options.unix?.path,
      adopt: bound?.descriptors ?? options.unix?.descriptors,
      ledger,
    };
    // In the sources this file ends in .ts, in the package in .js; so does the thread's.
    const url = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);
    const execArgv = threadFlags(process.execArgv);
    const worker = new Worker(url, {
      workerData,
      name: 'statcol-ingest',
      ...(execArgv !== undefined && { execArgv }),
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    thread = worker;
    worker.on('message', onMessage);
    worker.on('error', (cause) => onDeath(worker, 'the ingest thread failed', cause));
    worker.on('exit', (code) => onDeath(worker, `the ingest thread ended with code ${code}`));
    const answer = await Promise.race([answerOf('bound'), answerOf('failed')]);
    if (answer.type === 'bound') {
      bound = answer.socket;
      return bound;
    }
    const { code, message } = answer as FromIngest & { type: 'failed' };
    const cause = Object.assign(new Error(message), { code });
    const path = options.unix?.path;
    const address = path === undefined ? `udp ${hostPort(options.host, port)}` : `unix ${path}`;
    const fault = listenFault(code, message, { address, flag: '--port', hostFlag: '--host' });
    throw new StatcolError(ErrorCode.ERR_LISTEN, fault, { cause });
  }

  async function flip(): Promise<LedgerReader> {
    reader.requestFlip();
    if (thread !== undefined && dead === undefined) {
      try {
        await ask({ type: 'flip' }, 'flipped');
        return reader;
      } catch {
        // It died with the flip unanswered: the writer is gone, its side is ours.
      }
    }
    takeOver(kept.ledger);
    return reader;
  }

  async function renew(seeds: Iterable<Seed>): Promise<OldLedger> {
    const fresh = options.createLedger();
    try {
      const tagSets = await seedLedger(fresh.ledger, seeds, options);
      const ledger = { ...fresh.handle, tagSets };
      const wasDead = dead !== undefined;
      if (!wasDead) await ask({ type: 'swap', ledger }, 'swapped');
      else await startAgain(ledger);
    } catch (error) {
      fresh.release();
      throw error;
    }
    const old = { ...kept, reader };
    kept = fresh;
    reader = createLedgerReader(kept.ledger, kept.id);
    // Its last side was being written until now; nobody writes into it any more.
    old.reader.requestFlip();
    takeOver(old.ledger);
    return old;
  }

  /** The socket was not the thread's where it came from the C library: it goes on with that. */
  async function startAgain(ledger: LedgerHandle): Promise<void> {
    if (bound === undefined || isStopped) {
      throw new StatcolError(ErrorCode.ERR_INGEST, 'the ingest was ended', { cause: dead });
    }
    if (bound.descriptors === undefined) {
      dropsBefore += kernelDrops ?? 0;
      if (sharing === 'first') sharing = 'next';
    }
    dead = undefined;
    try {
      await startThread(bound.port, ledger);
    } catch (error) {
      await thread?.terminate();
      settleDead(new StatcolError(ErrorCode.ERR_INGEST, errorText(error), { cause: error }));
      throw error;
    }
  }

  async function stop(timeoutMs: number): Promise<boolean> {
    isStopped = true;
    if (thread === undefined || dead !== undefined) return true;
    try {
      const answer = await ask({ type: 'stop', timeoutMs }, 'stopped');
      return answer.type !== 'stopped' || answer.drained;
    } catch {
      return true; // dead: nobody reads the socket any more
    }
  }

  async function end(): Promise<void> {
    if (!isStopped) await stop(0);
    settleDead(new StatcolError(ErrorCode.ERR_INGEST, 'the ingest thread was ended'));
    await thread?.terminate();
    closeDescriptors();
  }

  function ask(message: ToIngest, answer: FromIngest['type']): Promise<FromIngest> {
    if (dead !== undefined) return Promise.reject(dead);
    const answered = answerOf(answer);
    thread?.postMessage(message);
    if (bound?.descriptors !== undefined) writeSync(bound.descriptors.wakeFd, WAKE);
    return answered;
  }

  function answerOf(type: FromIngest['type']): Promise<FromIngest> {
    return new Promise((resolve, reject) => waiting.set(type, { resolve, reject }));
  }

  function onMessage(message: FromIngest): void {
    if (message.type === 'half-full') events.onHalfFull();
    else if (message.type === 'folded') options.onFolded?.(message.name);
    else {
      if ('kernelDrops' in message) kernelDrops = message.kernelDrops ?? kernelDrops;
      if (message.type === 'stopped') closeSocket();
      waiting.get(message.type)?.resolve(message);
      waiting.delete(message.type);
    }
  }

  function onDeath(of: Worker, what: string, cause?: unknown): void {
    if (of !== thread || dead !== undefined) return;
    const why = cause === undefined ? what : `${what}: ${errorText(cause)}`;
    const error = new StatcolError(ErrorCode.ERR_INGEST, why, { cause });
    settleDead(error);
    // What was thrown once would be thrown again; memory and a thread that was ended are chance.
    const code = (cause as NodeJS.ErrnoException | undefined)?.code;
    events.onDeath(error, cause === undefined || code === 'ERR_WORKER_OUT_OF_MEMORY');
  }

  function closeSocket(): void {
    isSocketClosed = true;
    if (bound?.descriptors !== undefined) closeSync(bound.descriptors.socketFd);
  }

  /** When the thread is no more: a number may be another's file as soon as it is closed. */
  function closeDescriptors(): void {
    const held = bound?.descriptors ?? options.unix?.descriptors;
    if (held === undefined) return;
    if (!isSocketClosed) closeSync(held.socketFd);
    closeSync(held.wakeFd);
    bound = undefined;
  }

  function settleDead(error: StatcolError): void {
    dead ??= error;
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
  }
}

/** The thread makes garbage for names seen first alone: it needs no room for more. */
const YOUNG_GENERATION_MB = 4;

/** One, as an eventfd counts. */
const WAKE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

interface Waiting {
  resolve: (message: FromIngest) => void;
  reject: (error: StatcolError) => void;
}
