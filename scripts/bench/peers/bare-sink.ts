// `bare-sink.ts wake|rest`: reads datagrams with `recvmmsg`, and counts them: the limit that a
// collector can come near. `wake` sleeps in the kernel and wakes for each packet; `rest` lets them
// gather for a millisecond when a batch came back short, as the collector does. Prints its port; a
// datagram that says `end` makes it print how many there were, and end.
import { loadLibc, readSocketAddress, socketAddress } from '../../../dist/ingest/libc.js';
import { createBatch } from '../../../dist/ingest/recvmmsg-batch.js';

const isResting = process.argv[2] === 'rest';
const libc = await loadLibc();
const batch = createBatch(libc);
const fd = libc.socket(2, 2, 0);
libc.setsockopt(fd, 1, 33, Uint32Array.of(16 << 20), 4); // SO_RCVBUFFORCE
libc.setsockopt(fd, 1, 8, Uint32Array.of(16 << 20), 4); // SO_RCVBUF
const any = socketAddress('127.0.0.1', 0);
libc.bind(fd, any, any.length);
const local = Buffer.alloc(28);
libc.getsockname(fd, local, Uint32Array.of(local.length));
console.log(readSocketAddress(local).port);

const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;
const rest = new Int32Array(new SharedArrayBuffer(4));
const headers = batch.headers.nameless;
let datagrams = 0;
let ended = false;
while (!ended) {
  const flags = isResting ? MSG_DONTWAIT : MSG_WAITFORONE;
  const count = libc.recvmmsg(fd, headers, batch.size, flags, null);
  if (count > 0) {
    datagrams += count;
    batch.handOver(count, headers, ({ bytes }, start, length) => {
      if (length === 3 && bytes[start] === 0x65) ended = true; // `end`
    });
  }
  if (isResting && count < batch.size) Atomics.wait(rest, 0, 0, 1);
}
console.log(datagrams - 1);
