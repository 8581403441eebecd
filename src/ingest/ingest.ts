import { closeSync, writeSync } from 'node:fs';
import { extname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { ErrorCode, StatcolError } from '../errors.ts';
import type { Ledger, LedgerLimits } from '../ledger/ledger.ts';
import { Control, createLedger } from '../ledger/ledger.ts';
import { createLedgerReader, type LedgerReader } from '../ledger/reader.ts';
import { createLedgerWriter } from '../ledger/writer.ts';
import type { NameRule } from '../protocol/names.ts';
import type { Kind } from '../protocol/parse.ts';
import { hostPort } from './address.ts';
import { NO_LIBC } from './libc.ts';
import type { ReceiverChoice, Sharing } from './receiver.ts';
import type { BoundSocket, FromIngest, IngestThreadOptions, ToIngest } from './messages.ts';

/** What an ingest is made with. */
export interface IngestOptions {
  host: string;
  names: NameRule;
  limits: LedgerLimits;
  hashSeed: number;
  receiveBufferBytes: number;
  receiver: ReceiverChoice;
}

/** What an ingest reports by itself. */
export interface IngestEvents {
  /** The timing log is half full: drain soon. */
  onHalfFull: () => void;
  /** The thread died. What it accepted can still be drained; nothing more will come. */
  onDeath: (error: StatcolError) => void;
}

/** A name to be known from the start. */
export interface Seed {
  kind: Kind;
  name: string;
}

/** The main thread's side of an ingest thread: it starts it, flips its ledger, and stops it. */
export interface Ingest {
  /**
   * Starts the thread and binds. Rejects with `ERR_LISTEN` where the address is not to be had.
   *
   * @param port 0 takes a free one.
   */
  start(port: number, sharing?: Sharing): Promise<BoundSocket>;
  /** What the kernel has thrown away, as of the last flip; null where it does not tell. */
  readonly kernelDrops: number | null;
  /**
   * Whether datagrams were read since the last flip, for who can wait: one that was read just now
   * may be passed over. Cost: a look at memory; the thread is not woken.
   */
  hasNew(): boolean;
  /** Flips the ledger and returns its reader, whose `drain` has then to be called. */
  flip(): Promise<LedgerReader>;
  /**
   * Puts an empty ledger, in which only the seeds are known, in the place of the present one, and
   * returns the old one's reader, whose `drain` has to be called once more. Undefined where the
   * thread is dead: then nothing is replaced.
   */
  renew(seeds: Iterable<Seed>): Promise<LedgerReader | undefined>;
  /** Reads what lies in the socket and closes it. */
  stop(timeoutMs: number): Promise<boolean>;
  /** Ends the thread. After the last flip. */
  end(): Promise<void>;
}

/** Creates an ingest; see {@link Ingest}. */
export function createIngest(options: IngestOptions, events: IngestEvents): Ingest {
  let ledger = createLedger(options.limits);
  let reader = createLedgerReader(ledger);
  let thread: Worker | undefined;
  let dead: StatcolError | undefined;
  let isStopped = false;
  let wakeFd: number | undefined;
  let kernelDrops: number | null = null;
  // What the thread has been asked for and has not answered yet.
  const waiting = new Map<FromIngest['type'], Waiting>();

  return {
    start,
    get kernelDrops() {
      return kernelDrops;
    },
    hasNew: () => reader.hasNew(),
    flip,
    renew,
    stop,
    end,
  };

  async function start(port: number, sharing: Sharing = 'alone'): Promise<BoundSocket> {
    const workerData: IngestThreadOptions = {
      host: options.host,
      port,
      sharing,
      names: options.names,
      hashSeed: options.hashSeed,
      receiveBufferBytes: options.receiveBufferBytes,
      receiver: options.receiver,
      ledger: { memory: ledger.memory, limits: ledger.limits },
    };
    // In the sources this file ends in .ts, in the package in .js; so does the thread's.
    const url = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);
    const execArgv = threadFlags(process.execArgv);
    thread = new Worker(url, {
      workerData,
      name: 'statcol-ingest',
      ...(execArgv !== undefined && { execArgv }),
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    thread.on('message', onMessage);
    thread.on('error', (cause) => onDeath('the ingest thread failed', cause));
    thread.on('exit', (code) => onDeath(`the ingest thread ended with code ${code}`));
    const answer = await Promise.race([answerOf('bound'), answerOf('failed')]);
    if (answer.type === 'bound') {
      wakeFd = answer.socket.wakeFd;
      return answer.socket;
    }
    await end();
    const { code, message } = answer as FromIngest & { type: 'failed' };
    const cause = Object.assign(new Error(message), { code });
    throw new StatcolError(
      ErrorCode.ERR_LISTEN,
      listenFault(code, message, hostPort(options.host, port)),
      { cause },
    );
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
    takeOver(ledger);
    return reader;
  }

  async function renew(seeds: Iterable<Seed>): Promise<LedgerReader | undefined> {
    if (dead !== undefined) return undefined;
    const fresh = createLedger(options.limits);
    const writer = createLedgerWriter(fresh, {
      rule: options.names,
      hashSeed: options.hashSeed,
      onHalfFull: () => {},
      source: () => '',
    });
    let seeded = 0;
    for (const { kind, name } of seeds) {
      writer.intern(kind, name);
      if (++seeded % SEEDS_PER_TURN === 0) await setImmediate();
    }
    try {
      const handle = { memory: fresh.memory, limits: fresh.limits };
      await ask({ type: 'swap', ledger: handle }, 'swapped');
    } catch {
      return undefined; // it died: what it counted is in the ledger that we have
    }
    const old = { ledger, reader };
    ledger = fresh;
    reader = createLedgerReader(fresh);
    // Its last side was being written until now; nobody writes into it any more.
    old.reader.requestFlip();
    takeOver(old.ledger);
    return old.reader;
  }

  async function stop(timeoutMs: number): Promise<boolean> {
    isStopped = true;
    if (thread === undefined || dead !== undefined) return true;
    try {
      const answer = await ask({ type: 'stop', timeoutMs }, 'stopped');
      return answer.type !== 'stopped' || answer.drained;
    } catch {
      return true; // dead: there is no socket any more
    }
  }

  async function end(): Promise<void> {
    // A thread that is only terminated leaves its socket open: it may have it from the C library.
    if (!isStopped) await stop(0);
    settleDead(new StatcolError(ErrorCode.ERR_INGEST, 'the ingest thread was ended'));
    await thread?.terminate();
    closeWakeFd();
  }

  function ask(message: ToIngest, answer: FromIngest['type']): Promise<FromIngest> {
    if (dead !== undefined) return Promise.reject(dead);
    const answered = answerOf(answer);
    thread?.postMessage(message);
    if (wakeFd !== undefined) writeSync(wakeFd, WAKE);
    return answered;
  }

  function answerOf(type: FromIngest['type']): Promise<FromIngest> {
    return new Promise((resolve, reject) => waiting.set(type, { resolve, reject }));
  }

  function onMessage(message: FromIngest): void {
    if (message.type === 'half-full') events.onHalfFull();
    else {
      if ('kernelDrops' in message) kernelDrops = message.kernelDrops ?? kernelDrops;
      waiting.get(message.type)?.resolve(message);
      waiting.delete(message.type);
    }
  }

  function onDeath(what: string, cause?: unknown): void {
    if (dead !== undefined) return;
    const error = new StatcolError(ErrorCode.ERR_INGEST, what, { cause });
    settleDead(error);
    closeWakeFd();
    events.onDeath(error);
  }

  /** When the thread is no more: a number may be another's file as soon as it is closed. */
  function closeWakeFd(): void {
    if (wakeFd !== undefined) closeSync(wakeFd);
    wakeFd = undefined;
  }

  function settleDead(error: StatcolError): void {
    dead ??= error;
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
  }
}

/** So many names are written into a fresh ledger in one go: some milliseconds. */
const SEEDS_PER_TURN = 5000;

/** The thread makes garbage for names seen first alone: it needs no room for more. */
const YOUNG_GENERATION_MB = 4;

/** One, as an eventfd counts. */
const WAKE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

interface Waiting {
  resolve: (message: FromIngest) => void;
  reject: (error: StatcolError) => void;
}

/** Node's flags that say how modules are found and loaded; those with a value behind them. */
const MODULE_FLAGS = /^(?:--import|--require|-r|--(?:experimental-)?loader|--conditions|-C)$/;

/**
 * Returns Node's flags for the thread. Undefined: it has those of the process, flags for the engine
 * included, which may not be named again. But a thread with a file refuses `--input-type`; then it
 * gets those that its modules may need.
 */
export function threadFlags(flags: readonly string[]): string[] | undefined {
  if (!flags.some((flag) => flag.startsWith('--input-type'))) return undefined;
  return flags.flatMap((flag, at) => {
    if (!MODULE_FLAGS.test(flag.replace(/=.*$/s, ''))) return [];
    return flag.includes('=') ? [flag] : [flag, flags[at + 1] ?? ''];
  });
}

/** Answers a flip in the place of a writer that is no more. */
function takeOver({ control }: Ledger): void {
  Atomics.store(control, Control.active, Atomics.load(control, Control.requested));
}

function listenFault(code: string, message: string, at: string): string {
  const address = `udp ${at}`;
  if (code === NO_LIBC) return `${message}; or leave it to --receiver auto, or dgram`;
  if (code === 'EADDRINUSE') {
    return `${address} is in use: stop the program that holds it, or choose another with --port`;
  }
  if (code === 'EACCES') {
    return `${address} may not be bound: ports below 1024 need rights; choose another with --port`;
  }
  if (code === 'EADDRNOTAVAIL') {
    return `${address} is no address of this machine: choose one of its own with --host`;
  }
  return `${address} could not be bound: ${message}`;
}
