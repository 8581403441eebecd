import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What passes a proxy: which way, and how much in all on this connection before this piece. */
export interface Piece {
  direction: 'request' | 'reply';
  bytesBefore: number;
  length: number;
  /** Number of the connection, from 1. */
  connection: number;
}

/**
 * What to do with a piece: pass it, pass only its first bytes and cut the connection, swallow it,
 * or pass it later, and all that comes behind it, even if the connection was closed meanwhile.
 */
export type Verdict =
  'pass' | { cutAfter: number } | 'swallow' | { delayMs: number } | { holdUntil: Promise<unknown> };

/** A TCP proxy on a free port that can cut connections, and swallow or delay what passes. */
export interface Proxy {
  readonly port: number;
  /** How many connections it has cut. */
  readonly cuts: number;
  /** Decides for each piece; passes everything at first. */
  decide(decision: (piece: Piece) => Verdict): void;
  close(): Promise<void>;
}

/** Starts a proxy to a port of this machine. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  let decision: (piece: Piece) => Verdict = () => 'pass';
  let cuts = 0;
  let connections = 0;
  const open = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(targetPort, '127.0.0.1');
    const connection = ++connections;
    const both = [from, to];
    const cut = (): void => both.forEach((socket) => socket.destroy());
    let held = 0;
    let isClosed = false;
    for (const socket of both) {
      open.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        open.delete(socket);
        isClosed = true;
        if (held === 0) cut();
      });
    }
    const relay = (source: Socket, sink: Socket, direction: Piece['direction']): void => {
      let bytesBefore = 0;
      const waiting: Buffer[] = [];
      const hold = async (data: Buffer, until: Promise<unknown>): Promise<void> => {
        held++;
        waiting.push(data);
        await until;
        for (const one of waiting.splice(0)) if (!sink.destroyed) sink.write(one);
        // As a network would: the end comes behind what was under way.
        if (--held === 0 && isClosed) sink.end();
      };
      source.on('data', (data: Buffer) => {
        const verdict = decision({ direction, bytesBefore, length: data.length, connection });
        bytesBefore += data.length;
        if (verdict === 'swallow') return;
        if (verdict === 'pass' && waiting.length > 0) waiting.push(data);
        else if (verdict === 'pass') sink.write(data);
        else if ('delayMs' in verdict) void hold(data, pause(verdict.delayMs));
        else if ('holdUntil' in verdict) void hold(data, verdict.holdUntil);
        else {
          cuts++;
          // What is passed has to arrive before the cut: the cut is what comes after it.
          sink.write(data.subarray(0, verdict.cutAfter), () => cut());
        }
      });
    };
    relay(from, to, 'request');
    relay(to, from, 'reply');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    get cuts() {
      return cuts;
    },
    decide(next) {
      decision = next;
    },
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}
