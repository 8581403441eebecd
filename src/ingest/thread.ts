import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';

import { errorText } from '../errors.ts';
import { openLedger } from '../ledger/ledger.ts';
import { createLedgerWriter, type LedgerWriter } from '../ledger/writer.ts';
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

let receiver: Receiver | undefined;
let writer = writerOf(options.ledger);
const onPacket = createPipeline(() => writer);

port.on('message', (message: ToIngest) => {
  switch (message.type) {
    case 'flip':
      writer.poll();
      say({ type: 'flipped', kernelDrops: receiver?.kernelDrops() ?? null });
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
// Also when the thread fails: the C library's socket would stay open.
process.on('exit', () => receiver?.close());
await start();

async function start(): Promise<void> {
  const { host, port: udpPort, receiveBufferBytes, sharing } = options;
  let note: string | undefined;
  try {
    [receiver, note] = await open({ host, port: udpPort, receiveBufferBytes, sharing, onPacket });
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
      wakeFd: receiver.wakeFd,
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
    const libc = await loadLibc();
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

function writerOf({ memory, limits }: LedgerHandle): LedgerWriter {
  return createLedgerWriter(openLedger(memory, limits), {
    rule: options.names,
    hashSeed: options.hashSeed,
    onHalfFull: () => say({ type: 'half-full' }),
    source: () => receiver?.source() ?? '',
  });
}

function say(message: FromIngest): void {
  port.postMessage(message);
}
