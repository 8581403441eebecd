import { expect } from 'chai';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { StatcolError } from '../../src/errors.ts';
import { createIngest } from '../../src/ingest/ingest.ts';
import type { Ingest, IngestOptions } from '../../src/ingest/ingest.ts';
import { plainLedgers } from '../../src/ingest/kept-ledger.ts';
import type { BoundSocket } from '../../src/ingest/messages.ts';
import { Stat } from '../../src/ledger/stat.ts';
import type { ReceiverChoice } from '../../src/ingest/receiver.ts';
import { addDrained, drainOf, nothingDrained } from '../support/ledger-bench.ts';
import type { Drained } from '../support/ledger-bench.ts';

const sockets: Socket[] = [];
const ingests: Ingest[] = [];

/** What to receive with; a test may choose. */
export const chosen: { receiver: ReceiverChoice } = { receiver: 'auto' };

/** Ends every ingest and closes every socket that was opened here. After each test. */
export async function endAll(): Promise<void> {
  await Promise.all(ingests.splice(0).map((ingest) => ingest.end()));
  for (const socket of sockets.splice(0)) socket.close();
}

/** An ingest that has begun, its thread, and what it has said. */
export interface Started {
  ingest: Ingest;
  bound: BoundSocket;
  worker: Worker;
  halfFull: Promise<void>;
  death: Promise<StatcolError>;
  deaths: StatcolError[];
}

/** Starts an ingest on a free port. */
export async function start(
  some: Partial<IngestOptions>,
  timingsMax = 64,
  entriesMax = 64,
  port = 0,
): Promise<Started> {
  const deaths: StatcolError[] = [];
  let onHalfFull = (): void => {};
  let onDeath: (error: StatcolError) => void = () => {};
  const halfFull = new Promise<void>((resolve) => (onHalfFull = resolve));
  const death = new Promise<StatcolError>((resolve) => (onDeath = resolve));
  const options: IngestOptions = {
    host: '127.0.0.1',
    names: 'statsd',
    createLedger: plainLedgers({ entriesMax, nameBytesMax: 4096, timingsMax }),
    hashSeed: 1,
    receiveBufferBytes: 4 << 20,
    receiver: chosen.receiver,
    ...some,
  };
  const ingest = createIngest(options, {
    onHalfFull,
    onDeath: (error) => {
      deaths.push(error);
      onDeath(error);
    },
  });
  ingests.push(ingest);
  // The one way to the thread itself, which the ingest keeps to itself.
  const started = once(process, 'worker') as Promise<[Worker]>;
  const bound = await ingest.start(port);
  const [worker] = await started;
  return { ingest, bound, worker, halfFull, death, deaths };
}

/** Starts where it must not succeed, and returns why it did not. */
export async function startFault(some: Partial<IngestOptions>, port = 0): Promise<StatcolError> {
  const fault = await start(some, 64, 64, port).then(
    () => expect.fail('it started'),
    (error: unknown) => error,
  );
  expect(fault).to.be.instanceOf(StatcolError);
  expect((fault as StatcolError).code).to.equal('ERR_LISTEN');
  return fault as StatcolError;
}

/** Opens a socket to send from. */
export async function openSender(host: string, port = 0): Promise<Socket> {
  const socket = createSocket(host === '::1' ? 'udp6' : 'udp4');
  sockets.push(socket);
  socket.bind({ address: host, port, exclusive: true });
  await once(socket, 'listening');
  return socket;
}

/** Hands datagrams to the kernel, all within one turn of the loop. */
export async function send(socket: Socket, to: BoundSocket, ...datagrams: string[]): Promise<void> {
  const sent = (datagram: string): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.send(datagram, to.port, to.address, (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  await Promise.all(datagrams.map(sent));
}

/** Flips and drains until so many datagrams have come; they are on their way. */
export async function take(ingest: Ingest, datagrams: number): Promise<Drained> {
  const total = nothingDrained();
  await takeInto(total, ingest, datagrams);
  return total;
}

/** The same, added to what came before. */
export async function takeInto(total: Drained, ingest: Ingest, datagrams: number): Promise<void> {
  do addDrained(total, drainOf(await ingest.flip()));
  while (total.stats[Stat.datagrams]! < datagrams);
  expect(total.stats[Stat.datagrams]).to.equal(datagrams);
}
