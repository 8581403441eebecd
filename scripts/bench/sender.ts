// Sends StatsD datagrams with `sendmmsg`, from four source ports, at a rate or as fast as it can:
// `sender.ts port datagramsPerSecond (0: all it can) seconds names linesPerDatagram [type]`. Prints
// how many, and in how many seconds. Names come in an order that no cache foresees.
import koffi from 'koffi';

import { socketAddress } from '../../dist/ingest/libc.js';

const [port = 0, rate = 0, seconds = 1, names = 1000, lines = 1] = process.argv
  .slice(2, 7)
  .map(Number);
const type = process.argv[7] ?? 'c';
const SOCKETS = 4;
const BATCH = 64;
/** So many different datagrams are sent again and again. */
const DATAGRAMS = Math.max(BATCH, Math.ceil(Math.max(names, 4096) / lines / BATCH) * BATCH);

const libc = koffi.load(null);
const socket = libc.func('int socket(int domain, int type, int protocol)');
const connect = libc.func('int connect(int fd, void *address, uint32_t length)');
const sendmmsg = libc.func('int sendmmsg(int fd, void *headers, uint32_t count, int flags)');

const texts = Array.from({ length: DATAGRAMS }, (_, datagram) => {
  const all = Array.from({ length: lines }, (_line, at) => {
    return `bench.requests.${((datagram * lines + at) * 7919) % names}:1|${type}`;
  });
  return Buffer.from(all.join('\n'));
});
const iovecs = Buffer.alloc(DATAGRAMS * 16);
const headers = Buffer.alloc(DATAGRAMS * 64); // struct mmsghdr: see src/ingest/recvmmsg-batch.ts
for (const [at, text] of texts.entries()) {
  iovecs.writeBigUInt64LE(koffi.address(text), at * 16);
  iovecs.writeBigUInt64LE(BigInt(text.length), at * 16 + 8);
  headers.writeBigUInt64LE(koffi.address(iovecs) + BigInt(at * 16), at * 64 + 16);
  headers.writeBigUInt64LE(1n, at * 64 + 24);
}
const address = socketAddress('127.0.0.1', port);
const sockets = Array.from({ length: SOCKETS }, () => {
  const fd = socket(2, 2, 0) as number;
  connect(fd, address, address.length);
  return fd;
});
const startMs = performance.now();
let sent = 0;
let next = 0;
let elapsedMs = 0;
for (let turn = 0; ; turn++) {
  elapsedMs = performance.now() - startMs;
  if (elapsedMs >= seconds * 1000) break;
  // At a rate, each leaves when it is due, as those of many independent clients do.
  const due = rate > 0 ? Math.min(BATCH, Math.floor((rate * elapsedMs) / 1000) - sent) : BATCH;
  if (due <= 0) continue;
  const from = next + due > DATAGRAMS ? 0 : next;
  next = from + due;
  const part = headers.subarray(from * 64, next * 64);
  sent += Math.max(0, sendmmsg(sockets[turn % SOCKETS]!, part, due, 0) as number);
}
// Said here so that they are kept until now: C alone knows them, and an iovec that is collected
// sends empty datagrams.
console.log(sent, elapsedMs / 1000, texts.length, iovecs.length, headers.length);
