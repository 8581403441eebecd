import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';

import { errorText } from '../errors.ts';
import { openLedger } from '../ledger/ledger.ts';
import { type LedgerMemory, sharedMemory } from '../ledger/memory.ts';
import { createLedgerWriter, type LedgerWriter } from '../ledger/writer.ts';
import { mappedMemory } from '../state/mapped-memory.ts';
import { createCutter } from './cut-line.ts';
import { openDgramReceiver } from './dgram-receiver.ts';
import { loadLibc, NO_LIBC, NoLibc } from './libc.ts';
import type { FromIngest, IngestThreadOptions, LedgerHandle, ToIngest } from './messages.ts';
import { createPipeline } from './pipeline.ts';
import type { Receiver, ReceiverOptions } from './receiver.ts';
import { openRecvmmsgReceiver } from './recvmmsg-receiver.ts';

// The ingest thread: receive, parse, add, and nothing else. It waits for no one: what the main
// thread wants of it (a flip, another ledger, an end) is done between two datagrams.

const port = parentPort as MessagePort;
const options = workerData as IngestThreadOptions;

// Where there is a state directory, so is the C library: a ledger in a file is reached through it.
const libc = await loadLibc().catch((error: unknown) => error as NoLibc);
let receiver: Receiver | undefined;
let writer = writerOf(options.ledger);
const onPacket = createPipeline(() => writer, options.naming.dialect);
const onCut = createCutter(() => writer, onPacket, options.naming.dialect);

port.on('message', (message: ToIngest) => {
  switch (message.type) {
    case 'flip':
      // What was sent before somebody asked is on the side that he gets.
      if (receiver === undefined) flip();
      else receiver.readFirst(flip);
      break;
    case 'swap':
      writer = writerOf(message.ledger);
      say({ type: 'swapped' });
      break;
    case 'stop':
      void stop(message.timeoutMs);
      break;
  }
});
await start();

function flip(): void {
  writer.poll();
  say({ type: 'flipped', kernelDrops: receiver?.kernelDrops() ?? null });
}

async function start(): Promise<void> {
  const { host, port: udpPort, receiveBufferBytes, sharing, adopt, path } = options;
  const socket = { host, port: udpPort, receiveBufferBytes, sharing, adopt, path };
  const parts = { ...socket, onPacket, onCut };
  let note: string | undefined;
  try {
    [receiver, note] = await open(parts);
  } catch (error) {
    const code = error instanceof NoLibc ? NO_LIBC : ((error as NodeJS.ErrnoException).code ?? '');
    say({ type: 'failed', code, message: errorText(error) });
    return;
  }
  const { kind, isShared, address, port: bound } = receiver;
  say({
    type: 'bound',
    socket: {
      receiver: kind,
      descriptors: receiver.descriptors,
      note,
      isShared,
      address,
      port: bound,
      receiveBufferBytes: receiver.receiveBufferBytes,
    },
  });
}

/** Opens the receiver of choice, or the best there is and why it is not a better one. */
async function open(
  parts: ReceiverOptions,
): Promise<[receiver: Receiver, note: string | undefined]> {
  if (options.receiver === 'dgram') return [await openDgramReceiver(parts), undefined];
  try {
    if (libc instanceof Error) throw libc;
    return [openRecvmmsgReceiver(libc, parts), undefined];
  } catch (error) {
    if (options.receiver === 'recvmmsg' || !(error instanceof NoLibc)) throw error;
    return [await openDgramReceiver(parts), error.message];
  }
}

async function stop(timeoutMs: number): Promise<void> {
  const drained = (await receiver?.drain(timeoutMs)) ?? true;
  const kernelDrops = receiver?.kernelDrops() ?? null;
  receiver?.close();
  receiver = undefined;
  say({ type: 'stopped', drained, kernelDrops });
}

function memoryOf({ region, limits, handshake }: LedgerHandle): LedgerMemory {
  if (region instanceof SharedArrayBuffer) return sharedMemory(region, handshake);
  if (libc instanceof Error) throw libc;
  return mappedMemory(libc, region, limits, handshake);
}

function writerOf(handle: LedgerHandle): LedgerWriter {
  const { names: rule, ...naming } = options.naming;
  return createLedgerWriter(openLedger(memoryOf(handle), handle.limits), {
    rule,
    ...naming,
    tagSets: handle.tagSets,
    onFolded: (name) => say({ type: 'folded', name }),
    onHalfFull: () => say({ type: 'half-full' }),
    source: () => receiver?.source() ?? '',
  });
}

function say(message: FromIngest): void {
  port.postMessage(message);
}
