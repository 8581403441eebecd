import { type AddressInfo, createServer, type Socket } from 'node:net';

import { errorText } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import { createSparing } from '../flush/sparing.ts';
import type { Time } from '../flush/time.ts';
import { drained, gather, iteratorOf, type Pieces } from '../http/sending.ts';
import { hostPort } from '../ingest/address.ts';
import { createFrameMemory, createLineFrames } from '../ingest/line-frames.ts';
import { listenOn, sourceOf } from '../ingest/tcp-server.ts';
import { createTurns } from '../live/turns.ts';
import { ERROR } from './answers.ts';
import { readCommand } from './command.ts';
import type { Commands, Large } from './commands.ts';
import { createQueue } from './queue.ts';

/** The console's socket. */
export interface ConsoleServer {
  /** Binds; resolves with the endpoint. Rejects with `ERR_LISTEN`; then nothing is bound. */
  listen(): Promise<string>;
  /** Closes the socket and every connection, at once. */
  close(): void;
}

/** What the server is made with. */
export interface ConsoleServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  commands: Pick<Commands, 'obey'>;
  time: Time;
  log: Log;
  /** Other limits; for tests. */
  limits?: Partial<ConsoleLimits>;
}

/** How long is waited for peers, in milliseconds. */
export interface ConsoleLimits {
  /** For the next command. */
  idleMs: number;
  /** For a peer who takes nothing of an answer. */
  silenceMs: number;
  /** For one who takes little of it. */
  answerMs: number;
  /** For one who has all and does not close. */
  lingerMs: number;
}

const LIMITS: ConsoleLimits = {
  idleMs: 10 * 60_000,
  silenceMs: 30_000,
  answerMs: 5 * 60_000,
  lingerMs: 2000,
};

/** A few operators, and what watches: beyond it connections are closed as they come. */
export const CONNECTIONS_MAX = 32;
/** So many large answers are made at once: each may hold all names. */
const LARGE_MAX = 2;
/** Node reads into its own memory up to this, and one read of 64 KiB more. */
const BUFFER_BYTES = 16_384;
/** So much is read of one who is being closed, so that the last answer reaches it (no reset). */
const DISCARDED_BYTES_MAX = 4 << 20;
const SAY_EVERY_MS = 10_000;
const NOTHING = new Uint8Array(0);

/**
 * Creates the server: lines in, answers out, one command of a connection after the other. What a
 * peer sends ahead waits: 80 KiB in Node, then in the kernel, then in the peer.
 */
export function createConsoleServer(options: ConsoleServerOptions): ConsoleServer {
  const { commands, time, log } = options;
  const limits = { ...LIMITS, ...options.limits };
  const memory = createFrameMemory();
  const large = createQueue(LARGE_MAX);
  const sockets = new Set<Socket>();
  const mayBeSaid = createSparing(() => time.nowMs(), SAY_EVERY_MS);
  // It is not over for a peer who has said all that it wants: `echo health | nc host 8126`.
  const server = createServer({
    allowHalfOpen: true,
    highWaterMark: BUFFER_BYTES,
    noDelay: true,
  });
  server.maxConnections = CONNECTIONS_MAX;

  return {
    async listen() {
      server.on('connection', onConnection);
      server.on('drop', () => refused(`${CONNECTIONS_MAX} are open, which is all there may be`));
      await listenOn(server, { ...options, scheme: 'admin' });
      server.on('error', (error) => refused(errorText(error)));
      const { port } = server.address() as AddressInfo;
      return `admin://${hostPort(options.host, port)}`;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };

  function onConnection(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => {}); // a reset: what follows is 'close'
    socket.on('close', () => sockets.delete(socket));
    socket.on('timeout', () => socket.destroy());
    socket.setTimeout(limits.idleMs);
    serve(socket).catch((error: unknown) => {
      log('error', `admin: ${errorText(error)}`);
      socket.destroy();
    });
  }

  function refused(why: string): void {
    if (mayBeSaid('refused')) log('warn', `admin: a connection was closed as it came: ${why}`);
  }

  async function serve(socket: Socket): Promise<void> {
    const nextBytes = readerOf(socket);
    const peer = sourceOf(socket);
    const turns = createTurns();
    // Null stands for a line that is too long.
    let lines: (string | null)[] = [];
    const frames = createLineFrames(memory, {
      onLines({ bytes }, start, length) {
        for (const line of linesOf(bytes, start, length)) lines.push(line);
      },
      onCut: () => lines.push(null),
    });
    for (let isOver = false; !isOver;) {
      const bytes = await nextBytes();
      if (bytes !== undefined) frames.take(bytes);
      else if (await hasEnded(socket)) frames.end();
      isOver = bytes === undefined;
      const asked = lines;
      lines = [];
      for (const line of asked) {
        if (turns.isOver()) await turns.next();
        if (socket.destroyed) return;
        if (!(await obey(line, socket, peer))) return hangUp(socket, nextBytes);
      }
    }
    socket.end();
  }

  /** Answers a line that holds anything; false where no more of this peer is to be obeyed. */
  async function obey(line: string | null, socket: Socket, peer: string): Promise<boolean> {
    const command = line === null ? undefined : readCommand(line);
    if (command === undefined) {
      socket.write(ERROR);
      return false;
    }
    // statsd's `check_statsd_health` sends one behind its command, and reads to the end.
    if (command.name === '') return true;
    try {
      const reply = await commands.obey(command, peer);
      if (reply === undefined) return false;
      if (typeof reply === 'string') await send(socket, [reply]);
      else await large.run(() => sendLarge(socket, reply));
    } catch (error) {
      if (socket.destroyed) return false;
      if (mayBeSaid('failed')) log('warn', `admin: ${command.name}: ${errorText(error)}`);
      await send(socket, [ERROR]);
    }
    return true;
  }

  async function sendLarge(socket: Socket, { make }: Large): Promise<void> {
    if (socket.destroyed) return;
    await send(socket, await make(() => !socket.destroyed));
  }

  /** Resolves when all was taken but for a little, or the peer has gone. */
  async function send(socket: Socket, pieces: Pieces): Promise<void> {
    const source = iteratorOf(pieces);
    const untilMs = time.nowMs() + limits.answerMs;
    let isBegun = false;
    try {
      for (let isLast = false; !isLast;) {
        const piece = await gather(source, socket);
        ({ isLast } = piece);
        if (socket.destroyed) return;
        socket.write(piece.text);
        isBegun = true;
        if (!socket.writableNeedDrain) continue;
        socket.setTimeout(limits.silenceMs);
        await drained(socket);
        socket.setTimeout(limits.idleMs);
        if (time.nowMs() > untilMs) socket.destroy();
      }
    } catch (error) {
      if (isBegun) socket.destroy(); // cut short, so that nobody takes it for whole
      throw error;
    } finally {
      await source.return?.();
    }
  }

  /** Closes after the last answer, passing over what still comes. */
  async function hangUp(socket: Socket, nextBytes: NextBytes): Promise<void> {
    socket.setTimeout(limits.silenceMs);
    let cancel = (): void => {};
    socket.end(() => {
      cancel = time.after(limits.lingerMs, () => socket.destroy());
    });
    socket.once('close', () => cancel());
    let discarded = 0;
    for (let bytes = await nextBytes(); bytes !== undefined; bytes = await nextBytes()) {
      discarded += bytes.length;
      if (discarded > DISCARDED_BYTES_MAX) socket.destroy();
    }
  }
}

/** Returns what comes next; undefined when nothing more does. */
type NextBytes = () => Promise<Buffer | undefined>;

function readerOf(socket: Socket): NextBytes {
  let wake = (): void => {};
  for (const event of ['readable', 'end', 'close']) socket.on(event, () => wake());
  return async () => {
    for (;;) {
      const bytes = socket.read() as Buffer | null;
      if (bytes !== null) return bytes;
      if (socket.readableEnded || socket.destroyed) return undefined;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
}

/**
 * Whether a peer has ended properly. One that broke off in a line may have meant another one; the
 * kernel, which knows it, lets nothing be written to it, be it of no length.
 */
function hasEnded(socket: Socket): Promise<boolean> {
  if (socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    socket.write(NOTHING, (error) => resolve(error == null));
  });
}

/** The last LF may be missing. */
function linesOf(bytes: Uint8Array, start: number, length: number): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString();
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}
