import { randomBytes } from 'node:crypto';

import { ErrorCode, StatcolError } from './errors.ts';
import type { Log } from './flush/health.ts';
import type { Time } from './flush/time.ts';
import { createHttpServer, type HttpOptions, type HttpServer } from './http/server.ts';
import type { IngestOptions } from './ingest/ingest.ts';
import { RECEIVE_BUFFER_BYTES, receiveBufferAdvice } from './ingest/kernel.ts';
import { plainLedgers } from './ingest/kept-ledger.ts';
import type { BoundSocket } from './ingest/messages.ts';
import { ledgerLimits } from './ledger/ledger.ts';
import type { Options } from './option-types.ts';
import { createTrap, type Trap, TRAP_TIMEOUT_MS } from './sinks/trap.ts';
import { createStateDir, type StateDir } from './state/state-dir.ts';
import { createTrapReceiver, type TrapReceiver } from './trap-receiver/handler.ts';
import type { TrapSink } from './trap-receiver/values.ts';
import type { ReceiverUsage } from './vitals.ts';
import type { LiveWindow } from './window/window.ts';

// Parts of the collector, made of its options.

const NO_SHARING =
  'dgram shares a port between threads on Linux, from Node 22.12 on; recvmmsg (koffi) does with any';

/** Returns the HTTP server; undefined where it is off. */
export function openHttp(
  { http: address, httpToken: token }: Options,
  parts: Pick<HttpOptions, 'routes' | 'receiver' | 'log'>,
): HttpServer | undefined {
  return address === null ? undefined : createHttpServer({ ...address, token, ...parts });
}

/** Returns what takes others' timings; undefined where it is off. */
export function openReceiver(
  { trapSecret: secret }: Options,
  sink: TrapSink,
  parts: { nowMs: () => number; log: Log },
): TrapReceiver | undefined {
  return secret === undefined ? undefined : createTrapReceiver({ secret, sink, ...parts });
}

/** Others' timings enter the live window beside our own, and are not passed on. */
export function intoWindow(window: LiveWindow, taken: ReceiverUsage): TrapSink {
  const count = (shown: boolean, samples: number): void => {
    taken.samples += samples;
    if (!shown) taken.leftOut += samples;
  };
  return {
    sample: (name, value, times) => count(window.addCounted(name, value, times), times),
    histogram: (name, one) => count(window.addHistogram(name, one), one.count),
  };
}

/** Returns what to say when a collector is started a second time. */
export function startedBefore(): StatcolError {
  const message = 'a collector starts once: create another with createCollector';
  return new StatcolError(ErrorCode.ERR_STATE, message);
}

/** Says what of the socket is less than was asked for, and why. */
export function sayReceiver(socket: BoundSocket, { threads }: Options, log: Log): void {
  const advice = receiveBufferAdvice(socket.receiveBufferBytes);
  if (advice !== undefined) log('info', advice);
  if (socket.note !== undefined) log('info', `receives with dgram: ${socket.note}`);
  if (threads > 1 && !socket.isShared)
    log('warn', `one ingest thread instead of ${threads}: ${NO_SHARING}`);
}

/** Returns the state directory, which nothing was done to yet; undefined without one. */
export function openState(
  { stateDir: folder, spoolLimit: limitBytes, maxKeys, redis }: Options,
  parts: { instance: string; nowMs: () => number; log: Log },
): StateDir | undefined {
  if (folder === undefined) return undefined;
  const store = redis === undefined ? 'memory' : 'redis';
  const limits = ledgerLimits(maxKeys);
  return createStateDir({ folder, limitBytes, limits, store, ...parts });
}

/** Returns what the ingest threads are made with. */
export function ingestOptions(
  { host, names, maxKeys, receiver }: Options,
  state: StateDir | undefined,
): IngestOptions {
  return {
    host,
    names,
    receiver,
    createLedger: state === undefined ? plainLedgers(ledgerLimits(maxKeys)) : state.createLedger,
    hashSeed: randomBytes(4).readInt32LE(),
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
  };
}

/** Returns the trap; undefined without one. */
export function openTrap(
  { trap: url, trapCa: ca, trapServername: servername }: Options,
  time: Time,
): Trap | undefined {
  if (url === undefined) return undefined;
  return createTrap({ url, ca, servername, timeoutMs: TRAP_TIMEOUT_MS, time });
}
