import type { Fate, Vitals } from '../../src/vitals.ts';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';

import type { ChaosBook } from './chaos-book.ts';
import { linesInLedgers } from './chaos-ledger.ts';
import type { ChaosProcess } from './chaos-process.ts';
import type { ChaosDatagram, ChaosTraffic } from './chaos-traffic.ts';
import { openSender } from './udp.ts';

/** One life of a collector, what was sent to it, and what it says of that. */
export interface Life {
  readonly process: ChaosProcess;
  /** Traffic begins, at most so many datagrams ahead of what has been accepted. */
  begin(): void;
  /** Traffic stops; resolves when the collector has accepted all that was sent. */
  quiet(): Promise<void>;
  /** Traffic stops, and nothing is asked. */
  hush(): Promise<void>;
  /**
   * Sends some more while it is quiet; resolves when all of it is in the ledger, not drained, or
   * else when it was accepted.
   */
  gasp(folder: string, datagrams: number): Promise<void>;
  send(datagram: ChaosDatagram): Promise<void>;
  /** Asks for the vitals and checks them. */
  check(): Promise<Vitals>;
  /** It is about to end: what it does not answer is no fault. */
  close(): Promise<void>;
}

const KINDS = ['counters', 'gauges', 'sets', 'timings'] as const;
const AHEAD_MAX = 80;
const ACCEPTED_WITHIN_MS = 30_000;
/** The kernel deals senders out to the threads by their address. */
const SENDERS = 4;

/** Creates a life; `collector` is the number that its traffic has. */
export function createLife(
  process: ChaosProcess,
  parts: { book: ChaosBook; traffic: ChaosTraffic; collector: number; udpPort: number },
): Life {
  const { book, traffic, collector, udpPort } = parts;
  const senders = Array.from({ length: SENDERS }, () => openSender(udpPort));
  const chance = book.chance(`life ${process.pid}`);
  const sent = { datagrams: 0, lines: 0, counters: 0, gauges: 0, sets: 0, timings: 0 };
  let acceptedDatagrams = 0;
  let flows = false;
  let isOver = false;
  let flowing: Promise<void> = Promise.resolve();
  const who = `collector ${collector} (pid ${process.pid})`;

  return { process, begin, quiet, hush, gasp, send, check, close };

  function begin(): void {
    if (flows || isOver) return;
    flows = true;
    flowing = flow();
  }

  async function flow(): Promise<void> {
    while (flows) {
      if (sent.datagrams - acceptedDatagrams < AHEAD_MAX) {
        for (let n = chance.whole(1, 3); n > 0; n--) await send(traffic.datagram(collector));
      }
      await chance.pause(1, 16);
    }
  }

  async function send(datagram: ChaosDatagram): Promise<void> {
    sent.datagrams++;
    sent.lines += datagram.lines;
    for (const kind of KINDS) sent[kind] += datagram[kind];
    await chance.of(senders).send(datagram.text);
  }

  async function hush(): Promise<void> {
    flows = false;
    await flowing;
  }

  async function quiet(): Promise<void> {
    await hush();
    const deadlineMs = performance.now() + ACCEPTED_WITHIN_MS;
    for (;;) {
      const { samples, lines, udp } = await check();
      const isAll = KINDS.every((kind) => samples[kind] === sent[kind]);
      if (isAll && lines.accepted === sent.lines) return;
      if (performance.now() > deadlineMs) {
        const got = JSON.stringify({ samples, lines, udp });
        book.wrong(`${who} was sent ${JSON.stringify(sent)} and has accepted ${got}`);
        return;
      }
      await pause(10);
    }
  }

  async function gasp(folder: string, datagrams: number): Promise<void> {
    const before = sent.lines;
    for (let n = 0; n < datagrams; n++) await send(traffic.datagram(collector));
    const deadlineMs = performance.now() + 40;
    while (performance.now() < deadlineMs) {
      if (linesInLedgers(folder) >= sent.lines - before) return;
      await setImmediate();
    }
    await quiet();
  }

  async function check(): Promise<Vitals> {
    const vitals = await process.vitals();
    const { samples, udp, lines } = vitals;
    acceptedDatagrams = udp.datagrams;
    for (const kind of KINDS) identity(kind, samples[kind], vitals[kind]);
    for (const [reason, count] of Object.entries(lines.rejected)) {
      book.wrong(`${who} has rejected ${count} lines: ${reason}`);
    }
    if ((udp.kernelDrops ?? 0) > 0) {
      book.wrong(`the kernel has dropped ${udp.kernelDrops} datagrams to ${who}: a void run`);
    }
    return vitals;
  }

  function identity(what: string, samples: number, fate: Fate): void {
    const { recovered, delivered, pending, dropped } = fate;
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
    if (samples + recovered === delivered + pending + lost && lost === 0) return;
    const numbers = JSON.stringify({ samples, ...fate });
    const verb = lost > 0 ? 'has dropped' : 'does not add up:';
    book.wrong(`${who} ${verb} ${what}: ${numbers}\n${process.said()}`);
  }

  async function close(): Promise<void> {
    isOver = true;
    await hush();
    for (const sender of senders) sender.close();
  }
}
