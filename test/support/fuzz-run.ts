import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createClient } from 'redis';

import type { Vitals } from '../../src/vitals.ts';
import { type CollectorProcess, startCollector } from './collector-process.ts';
import { dayOf, endFaults, identityFaults, readFaults, see, type Seen } from './fuzz-compare.ts';
import { createFuzzDatagrams, type FuzzDatagrams } from './fuzz-datagrams.ts';
import { createOracle, type Expected, type Oracle } from './fuzz-oracle.ts';
import {
  type FuzzSender,
  type FuzzStream,
  openFuzzTcp,
  openFuzzUdp,
  openFuzzUnix,
} from './fuzz-senders.ts';
import type { NaiveDialect, NaiveRule } from './naive-parser.ts';
import { seededRandom } from './random.ts';
import { type RedisServer, startRedis } from './redis-server.ts';

/** What a run is made with. */
export interface FuzzOptions {
  datagrams: number;
  seed: number;
  redis?: boolean;
  stateDir?: boolean;
  rule?: NaiveRule;
  dialect?: NaiveDialect;
  /** Further flags of the collector. */
  flags?: readonly string[];
  /** Sends one line that is told otherwise: it has to be found out. */
  plant?: boolean;
}

/** What a run has shown. */
export interface FuzzRun {
  /** Datagrams, and what stood for one in a stream. */
  sent: Record<'udp' | 'unix' | 'tcp', number>;
  bytes: number;
  resets: number;
  ends: number;
  expected: Expected;
  seen: Seen;
  /** Empty if everything is as it should be. */
  faults: string[];
}

/** Datagrams between two looks at the vitals, over all transports. */
const BURST = 500;
/** Of what the kernel has granted; a datagram takes about twice its length, and some more. */
const BUFFER_SHARE = 0.25;
const TRUE_SIZE = 2048;
const PLANTED = 'planted:1|c';

/**
 * Runs a real collector and sends it fuzzed datagrams over all transports, burst by burst. After
 * each, everything that was read is compared with the oracle; at the end all that was counted.
 */
export async function runFuzz(options: FuzzOptions): Promise<FuzzRun> {
  const { dialect, rule = 'statsd', redis: hasRedis, stateDir } = options;
  const folder = mkdtempSync(join(tmpdir(), 'statcol-fuzz-'));
  const redis = hasRedis === true ? await startRedis() : undefined;
  const path = join(folder, 'socket');
  const collector = await startCollector([
    ...['--tcp', '0', '--unix', path, '--names', rule, '--tag-sets-per-name', '16000000'],
    ...['--counter-interval', '200', '--log-level', 'error', ...(options.flags ?? [])],
    ...(redis === undefined ? [] : ['--redis', redis.url]),
    ...(stateDir === true ? ['--state-dir', join(folder, 'state')] : []),
    ...(dialect === undefined ? [] : ['--tags', dialect]),
  ]);
  const traffic = createTraffic({ collector, redis, path }, createOracle(rule, dialect), options);
  try {
    const run = await traffic.run();
    const code = await collector.stop();
    if (code !== 0) run.faults.push(`it ended with ${code}: ${collector.stderr()}`);
    return run;
  } finally {
    traffic.close();
    collector.signal('SIGKILL');
    await collector.exited();
    await redis?.stop();
    rmSync(folder, { recursive: true });
  }
}

interface Traffic {
  run(): Promise<FuzzRun>;
  close(): void;
}

interface Place {
  collector: CollectorProcess;
  redis: RedisServer | undefined;
  /** Of the unix socket. */
  path: string;
}

function createTraffic(
  { collector, redis, path }: Place,
  oracle: Oracle,
  { datagrams, seed, plant }: FuzzOptions,
): Traffic {
  const { expected } = oracle;
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const sent = { udp: 0, unix: 0, tcp: 0 };
  const faults: string[] = [];
  const made = { bytes: 0, resets: 0, ends: 0, tcpBytes: 0 };
  const senders: [name: string, over: 'udp' | 'unix', to: FuzzSender, from: FuzzDatagrams][] = [];
  const streams: [name: string, to: FuzzStream, from: FuzzDatagrams][] = [];
  let bufferBytes = 0;

  return {
    run,
    close() {
      for (const [, , to] of senders) to.close();
      for (const [, to] of streams) to.close();
    },
  };

  async function run(): Promise<FuzzRun> {
    const startedOn = dayOf(new Date());
    await open();
    let left = datagrams;
    while (left > 0 && faults.length === 0) {
      left -= await burst(Math.min(left, BURST));
      if (plant === true && left < datagrams / 2 && !expected.counters.has('planted')) {
        await sendPlanted();
      }
    }
    if (faults.length === 0) await makeWhole();
    const wanted = (now: Vitals): boolean =>
      now.counters.pending + now.gauges.pending + now.sets.pending + now.timings.pending === 0;
    await collector.until(wanted);
    const unique = redis === undefined ? undefined : await countUnique(redis, expected.sets);
    const seen = await see(collector, { startedOn, unique });
    if (faults.length === 0) faults.push(...endFaults(expected, seen));
    return { sent, ...made, expected, seen, faults };
  }

  async function open(): Promise<void> {
    const { udp } = await collector.vitals();
    bufferBytes = udp.receiveBufferBytes * BUFFER_SHARE;
    for (const name of ['u1', 'u2']) {
      senders.push([name, 'udp', openFuzzUdp(collector.udpPort), makerOf(name)]);
    }
    senders.push(['x', 'unix', await openFuzzUnix(path), makerOf('x')]);
    for (const name of ['t1', 't2']) {
      streams.push([name, openFuzzTcp(collector.tcpPort, below), makerOf(name)]);
    }
  }

  function makerOf(name: string): FuzzDatagrams {
    const own = seed * 31 + name.charCodeAt(0) * 7 + name.length + name.charCodeAt(1);
    return createFuzzDatagrams(own, name, (datagram) => oracle.admits(datagram, name));
  }

  /** Sends so many or fewer datagrams, and compares; returns how many. */
  async function burst(count: number): Promise<number> {
    let done = 0;
    let room = bufferBytes;
    const sending: Promise<void>[] = [];
    for (const [name, over, to, from] of senders) {
      const some: string[] = [];
      while (done + some.length < count && some.length < count / 5 && room > 0) {
        const datagram = from.next();
        oracle.add(datagram, name);
        some.push(datagram);
        made.bytes += datagram.length;
        if (over === 'udp') room -= 2 * datagram.length + TRUE_SIZE;
      }
      sent[over] += some.length;
      done += some.length;
      sending.push(to.send(some));
    }
    const endings: (() => Promise<void>)[] = [];
    for (const [name, to, from] of streams) {
      const some: string[] = [];
      while (done + some.length < count && some.length < count / 5) {
        const datagram = from.next();
        oracle.add(datagram, name);
        some.push(datagram);
      }
      sent.tcp += some.length;
      done += some.length;
      sending.push(stream([name, to, from], some, endings));
    }
    await Promise.all(sending);
    await isRead();
    for (const end of endings) await end();
    await compare();
    return done;
  }

  async function stream(
    [name, to, from]: (typeof streams)[number],
    some: readonly string[],
    endings: (() => Promise<void>)[],
  ): Promise<void> {
    const ending = (['end', 'reset', undefined] as const)[below(3)];
    let part = ending === undefined ? '' : from.part();
    // The last line of an end counts; that of a reset does not.
    if (ending === 'end' && oracle.admits(part, name)) oracle.add(part, name);
    else if (ending === 'end') part = '';
    if (ending !== undefined) endings.push(() => to.end(ending));
    if (ending === 'end') made.ends++;
    if (ending === 'reset') made.resets++;
    const bytes = await to.send(some, part);
    made.tcpBytes += bytes;
    made.bytes += bytes;
  }

  /** Waits until all that was sent has been read; each answer has to be balanced. */
  async function isRead(): Promise<void> {
    await collector.until((now) => {
      faults.push(...identityFaults(now));
      const { kernelDrops } = now.udp;
      if (kernelDrops !== null && kernelDrops > 0) faults.push(`the kernel dropped ${kernelDrops}`);
      const isAll =
        now.udp.datagrams === sent.udp &&
        now.unix.datagrams === sent.unix &&
        now.tcp.bytes === made.tcpBytes;
      return isAll || faults.length > 0;
    });
  }

  async function compare(): Promise<void> {
    const vitals = await collector.vitals();
    faults.push(...identityFaults(vitals), ...readFaults(expected, vitals));
  }

  async function sendPlanted(): Promise<void> {
    oracle.add(PLANTED, 'u1');
    sent.udp++;
    await senders[0]![2].send([PLANTED.replace('1', '2')]);
    await isRead();
  }

  /** Sends what makes whole numbers of all counters, since the store holds no others. */
  async function makeWhole(): Promise<void> {
    const lines = oracle.wholes();
    for (let at = 0; at < lines.length; at += BURST) {
      const some = lines.slice(at, at + BURST);
      for (const line of some) oracle.add(line, 'u1');
      sent.udp += some.length;
      await senders[0]![2].send(some);
      await isRead();
    }
    await compare();
  }
}

/** Returns how many members Redis counts in each set. */
async function countUnique(
  redis: RedisServer,
  sets: Expected['sets'],
): Promise<Map<string, number>> {
  const client = createClient({ socket: { port: redis.port, reconnectStrategy: false }, RESP: 2 });
  client.on('error', () => {}); // the command's own rejection says it
  await client.connect();
  const unique = new Map<string, number>();
  for (const [name, members] of sets) {
    await client.del('own');
    const all = Array.from(members, (member) => Buffer.from(member, 'latin1'));
    for (let at = 0; at < all.length; at += 1000) {
      await client.sendCommand(['PFADD', 'own', ...all.slice(at, at + 1000)]);
    }
    unique.set(name, await client.pfCount('own'));
  }
  client.destroy();
  return unique;
}
