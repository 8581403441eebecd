import { readFileSync } from 'node:fs';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';

import { Histogram } from '../../src/histogram.ts';
import {
  createTrapReceiver,
  type TrapLimits,
  type TrapReceiver,
} from '../../src/trap-receiver/handler.ts';
import { createSubmission, type SubmissionResult } from '../../src/trap-receiver/submission.ts';
import type { TrapSink } from '../../src/trap-receiver/values.ts';

/** A body and what the original made of it. */
export interface Vector {
  name: string;
  body: string;
  repeat: number;
  upstreamCrashes?: boolean;
  responses?: {
    status: number;
    body?: { stats: number; filtered: number; error?: string };
    reason?: string;
    metricsTakenBeforeError?: number;
  }[];
}

/** Returns all vectors; bodies that the file only describes are made as described. */
export function readVectors(): Vector[] {
  const text = readFileSync(new URL('../vectors/httptrap.json', import.meta.url), 'utf8');
  const { vectors } = JSON.parse(text) as { vectors: Vector[] };
  return vectors.map((vector) => {
    const described = /^<(\d+) characters: \{"n+\.\.\.>$/.exec(vector.body);
    if (described === null) return vector;
    return { ...vector, body: `{"${'n'.repeat(Number(described[1]) - 6)}":1}` };
  });
}

/** A sink that remembers. */
export interface RecordingSink extends TrapSink {
  readonly samples: [name: string, value: number, count: number][];
  readonly histograms: [name: string, base64: string][];
  /** Everything of a name, as one histogram in base64. */
  all(name: string): string;
}

/** Creates an empty one. */
export function recordingSink(): RecordingSink {
  const samples: [string, number, number][] = [];
  const histograms: [string, string][] = [];
  return {
    samples,
    histograms,
    sample: (...sample) => void samples.push(sample),
    histogram: (name, histogram) => void histograms.push([name, histogram.toBase64()]),
    all(name) {
      const whole = new Histogram();
      for (const [of, value, count] of samples) if (of === name) whole.add(value, count);
      for (const [of, text] of histograms) {
        if (of === name) whole.merge(Histogram.fromBase64(text));
      }
      return whole.toBase64();
    },
  };
}

/** Reads a body that comes in pieces; the last one ends it. */
export function readPieces(
  pieces: readonly Uint8Array[],
  sink: TrapSink = recordingSink(),
): SubmissionResult {
  const submission = createSubmission(sink);
  for (const piece of pieces) submission.write(piece);
  return submission.end();
}

/** Reads a body that comes in one piece. */
export function read(body: string | Uint8Array, sink?: TrapSink): SubmissionResult {
  return readPieces([Buffer.from(body)], sink);
}

export const UUID = '0b1c2d3e-aaaa-4bbb-8ccc-123456789abc';
export const SECRET = 's3cr3t-of-the-test';
/** The path of a trap that takes things. */
export const PATH = `/module/httptrap/${UUID}/${SECRET}`;

/** A receiver behind a real server. */
export interface TrapRig {
  readonly port: number;
  readonly sink: RecordingSink;
  readonly said: string[];
  readonly receiver: TrapReceiver;
  nowMs: number;
  close(): Promise<void>;
}

/** Starts one on a free port. */
export async function startTrap(limits: Partial<TrapLimits> = {}): Promise<TrapRig> {
  const sink = recordingSink();
  const said: string[] = [];
  const log = (level: string, message: string): void => void said.push(`${level}: ${message}`);
  const receiver = createTrapReceiver({
    secret: SECRET,
    sink,
    nowMs: () => rig.nowMs,
    log,
    limits,
  });
  const server = createServer((request, response) => receiver.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const rig: TrapRig = {
    port: (server.address() as AddressInfo).port,
    sink,
    said,
    receiver,
    nowMs: 0,
    close: () =>
      new Promise((resolve) => {
        receiver.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return rig;
}

/** What came back. */
export interface TrapReply {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: { stats?: number; filtered?: number; error?: string };
}

/** Sends a submission, PUT unless told otherwise. */
export function put(
  { port }: TrapRig,
  body: string | Uint8Array,
  more: { method?: string; path?: string; headers?: Record<string, string> } = {},
): Promise<TrapReply> {
  const { method = 'PUT', path = PATH, headers = {} } = more;
  return new Promise((resolve, reject) => {
    const sent = send({ host: '127.0.0.1', port, path, method, headers, agent: false });
    sent.on('error', reject).on('response', (response) => {
      sent.off('error', reject).on('error', () => {});
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => {
        const parsed = (text === '' ? {} : JSON.parse(text)) as TrapReply['body'];
        resolve({ status: response.statusCode!, headers: response.headers, body: parsed });
      });
    });
    sent.end(body);
  });
}

/** A connection on which a test writes what it likes. */
export interface RawConnection {
  write(text: string): void;
  /** Ends it without a word. */
  cut(): void;
  /** Resolves with all that came, when the other side has closed. */
  readonly answer: Promise<string>;
}

/** Opens a connection and sends the head of a submission of `length` bytes. */
export function begin(
  { port }: TrapRig,
  length: number,
  headers: Record<string, string> = {},
): RawConnection {
  const socket = connect(port, '127.0.0.1');
  const lines = Object.entries({ Host: 'x', 'Content-Length': String(length), ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`PUT ${PATH} HTTP/1.1\r\n${head}\r\n`);
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  socket.on('error', () => {});
  const answer = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
  return { write: (more) => void socket.write(more), cut: () => void socket.destroy(), answer };
}

/** Resolves when `condition` holds; looks again every few milliseconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 1000) throw new Error('waited for in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
