import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

import { ErrorCode, errorText, StatcolError } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import { createSparing } from '../flush/sparing.ts';
import type { TcpUsage } from '../vitals-types.ts';
import { hostPort } from './address.ts';
import { createFrameMemory, createLineFrames, type LineFrames } from './line-frames.ts';
import { listenFault } from './listen-fault.ts';
import type { LocalIngest } from './local-ingest.ts';

/** What a server of lines is made with. */
export interface TcpServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  log: Log;
  /** Nothing is read while this holds; see {@link TcpServer.goOn}. */
  isHeld: () => boolean;
  /** Returns where lines go; called once, when the server is about to listen. */
  openIngest: (events: { source: () => string; onRoom: () => void }) => LocalIngest;
}

/** StatsD over TCP: lines, each ended by an LF, over connections that stay open. */
export interface TcpServer {
  /** Its ledger; undefined before `listen`. */
  readonly ingest: LocalIngest | undefined;
  /** Binds; resolves with the port. Rejects with `ERR_LISTEN`; then nothing is bound. */
  listen(): Promise<AddressInfo>;
  usage(): TcpUsage;
  /** Reads what was held back, unless it still is. */
  goOn(): void;
  /**
   * Takes the connections that are waiting, and no more; reads what has come of each, until it was
   * seen empty once or has given more than buffers hold; then tells the peers that it ends (FIN),
   * reads what they send until they end too or are silent, and closes. Of a connection that ends
   * only then the last line needs its LF. Resolves with false if the deadline came before.
   */
  stop(timeoutMs: number): Promise<boolean>;
  /** Closes everything at once. */
  end(): void;
}

/** Beyond it connections are closed as they come. */
export const CONNECTIONS_MAX = 1000;
/** For so long lines are read before all others have their turn: flushers, HTTP, other peers. */
const TURN_MS = 4;
/** Node reads into its own memory up to this, and one read of 64 KiB more. */
const BUFFER_BYTES = 16_384;
/** A peer whose machine is gone is found out after about this; one that only rests may rest. */
const KEEP_ALIVE_MS = 60_000;
/** More than a receive and a send buffer hold together, by Linux' defaults. */
const BUFFERS_BYTES = 32 << 20;
/** What peers have to end by themselves, or to send what their kernel still holds. */
const LINGER_MS = 50;
const SAY_EVERY_MS = 10_000;

interface Connection {
  readonly socket: Socket;
  /** `127.0.0.1:40001` */
  readonly source: string;
  readonly frames: LineFrames;
  bytes: number;
  /** Something of it has been read, or its end, and waits for its turn. */
  isReady: boolean;
}

/** Creates the server; see {@link TcpServer}. */
export function createTcpServer(options: TcpServerOptions): TcpServer {
  const memory = createFrameMemory();
  const connections = new Set<Connection>();
  // Those that wait for their turn, each once: who has had it goes to the end.
  const ready: Connection[] = [];
  const mayBeSaid = createSparing(() => performance.now(), SAY_EVERY_MS);
  const usage = { configured: true, connections: 0, accepted: 0, refused: 0, bytes: 0 };
  const server = createServer({
    allowHalfOpen: true, // it is not over before `onEnd` has seen how
    highWaterMark: BUFFER_BYTES,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  });
  let ingest: LocalIngest | undefined;
  let current = '';
  let unsaid = 0; // connections turned away that no line of the log tells yet
  let turn: NodeJS.Immediate | undefined;

  return {
    get ingest() {
      return ingest;
    },
    async listen() {
      server.maxConnections = CONNECTIONS_MAX;
      server.on('connection', onConnection);
      server.on('drop', () => {
        refused(`${CONNECTIONS_MAX} are open, which is all there may be`);
      });
      await listenOn(server, { ...options, scheme: 'tcp' });
      server.on('error', (error) => refused(errorText(error))); // too many files are open
      ingest = options.openIngest({ source: () => current, onRoom: schedule });
      return server.address() as AddressInfo;
    },
    usage: () => ({ ...usage, connections: connections.size }),
    goOn: schedule,
    stop,
    end,
  };

  function onConnection(socket: Socket): void {
    const frames = createLineFrames(memory, ingest!);
    const one: Connection = { socket, source: sourceOf(socket), frames, bytes: 0, isReady: false };
    usage.accepted++;
    connections.add(one);
    socket.on('readable', () => beReady(one));
    socket.on('end', () => onEnd(one));
    socket.on('error', () => {}); // a reset: what follows is 'close'
    socket.on('close', () => {
      // What had come before a reset. A line that it cut may be a cut number: it does not count.
      read(one);
      connections.delete(one);
    });
  }

  /**
   * It looks the same to Node whether a peer has ended properly or has broken off right behind its
   * last bytes; to the kernel it does not, which lets nothing be written to one that is gone, be it
   * of no length.
   */
  function onEnd({ socket, source, frames }: Connection): void {
    socket.write(NOTHING, (error) => {
      if (error == null) give(source, () => frames.end());
      socket.end();
    });
  }

  function beReady(one: Connection): void {
    if (one.isReady) return;
    one.isReady = true;
    ready.push(one);
    schedule();
  }

  function schedule(): void {
    if (ready.length > 0) turn ??= setImmediate(takeTurn);
  }

  /** Reads of one after the other, for a while. What comes meanwhile waits, at last in the peers. */
  function takeTurn(): void {
    turn = undefined;
    const untilMs = performance.now() + TURN_MS;
    do {
      if (ingest!.isHalfFull || options.isHeld()) return; // goes on when there is room
      const one = ready.shift()!;
      one.isReady = false;
      read(one);
    } while (ready.length > 0 && performance.now() < untilMs);
    schedule();
  }

  function read(one: Connection): void {
    const bytes = one.socket.read() as Buffer | null;
    if (bytes === null) return;
    usage.bytes += bytes.length;
    one.bytes += bytes.length;
    give(one.source, () => one.frames.take(bytes));
  }

  function give(source: string, lines: () => void): void {
    current = source;
    lines();
    current = '';
  }

  function refused(why: string): void {
    usage.refused++;
    unsaid++;
    if (!mayBeSaid('refused')) return;
    options.log('warn', `tcp: ${unsaid} connections were closed as they came: ${why}`);
    unsaid = 0;
  }

  async function stop(timeoutMs: number): Promise<boolean> {
    const deadlineMs = performance.now() + timeoutMs;
    await acceptWaiting();
    server.close();
    const isEmpty = await readOut(deadlineMs);
    for (const { socket } of connections) socket.end();
    await linger(deadlineMs);
    for (const { socket } of connections) socket.destroy();
    while (connections.size > 0) await nextTurn();
    return isEmpty;
  }

  /** Those that the kernel has connected and Node has not seen yet come with a turn of the loop. */
  async function acceptWaiting(): Promise<void> {
    const seen = (): number => usage.accepted + usage.refused;
    const first = seen();
    let before: number;
    do {
      before = seen();
      await twoTurns();
    } while (seen() > before && seen() - first < BACKLOG);
  }

  /** Waits until each connection has given all that it had when this was called. */
  async function readOut(deadlineMs: number): Promise<boolean> {
    const waiting = new Map(
      Array.from(connections, (one) => [one, { first: one.bytes, before: -1 }]),
    );
    while (waiting.size > 0) {
      if (performance.now() >= deadlineMs) return false;
      await twoTurns();
      for (const [one, seen] of waiting) {
        const isEmpty = !one.isReady && one.bytes === seen.before;
        const isEnough = one.bytes - seen.first > BUFFERS_BYTES;
        if (isEmpty || isEnough || !connections.has(one)) waiting.delete(one);
        seen.before = one.bytes;
      }
    }
    return true;
  }

  /** Waits until the peers have ended too, while anything comes; not for more than they may have. */
  async function linger(deadlineMs: number): Promise<void> {
    const bytesMax = usage.bytes + BUFFERS_BYTES * connections.size;
    let { bytes } = usage;
    let quietMs = performance.now();
    while (connections.size > 0 && usage.bytes < bytesMax) {
      await pause(1);
      const nowMs = performance.now();
      if (usage.bytes > bytes) [bytes, quietMs] = [usage.bytes, nowMs];
      if (nowMs >= Math.min(deadlineMs, quietMs + LINGER_MS)) return;
    }
  }

  function end(): void {
    clearImmediate(turn);
    server.close();
    for (const { socket } of connections) socket.destroy();
  }
}

const NOTHING = new Uint8Array(0);

/** As many as the kernel lets wait to be accepted. Source: Node's documentation of `listen`. */
const BACKLOG = 511;

/** Between two turns of the event loop lies one look at all sockets. */
async function twoTurns(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

/** Returns a peer's `host:port`; empty where it has gone already. */
export function sourceOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined || remotePort === undefined) return ''; // it has gone already
  return hostPort(remoteAddress, remotePort);
}

/** Where to listen; `--tcp` and the like say so. */
export interface ListenTarget {
  scheme: 'tcp' | 'admin';
  host: string;
  port: number;
}

/** Binds a server. Rejects with `ERR_LISTEN` where the address is not to be had. */
export function listenOn(server: Server, { scheme, host, port }: ListenTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => {
      const place = { address: `${scheme} ${hostPort(host, port)}`, flag: `--${scheme}` };
      const fault = listenFault(cause.code ?? '', errorText(cause), place);
      reject(new StatcolError(ErrorCode.ERR_LISTEN, fault, { cause }));
    };
    server.once('error', onError);
    server.listen({ host, port, backlog: BACKLOG, exclusive: true }, () => {
      server.removeListener('error', onError);
      resolve();
    });
  });
}
