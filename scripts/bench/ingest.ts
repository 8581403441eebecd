// `npm run bench:ingest`: the collector's receivers side by side, in turns: processor time per
// one-line datagram at 300,000 a second, and datagrams of 40 lines as fast as they can be sent. Per
// round what was sent, read, and dropped by the kernel; medians of five rounds.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { median } from './statistics.ts';
import { startCollector } from '../../test/support/collector-process.ts';

const ROUNDS = 5;
const SECONDS = 3;
const SENDER = fileURLToPath(new URL('sender.ts', import.meta.url));
const run = promisify(execFile);

/** What a round has shown. */
interface Round {
  sent: number;
  read: number;
  dropped: number;
  /** Of the whole collector, per datagram that was read. */
  cpuMicros: number;
  linesPerSecond: number;
}

for (const [title, rate, lines] of [
  ['one line per datagram, 300,000 datagrams a second', 300_000, 1],
  ['40 lines per datagram, as fast as can be sent', 0, 40],
] as const) {
  const rounds = new Map<string, Round[]>([
    ['dgram', []],
    ['recvmmsg', []],
  ]);
  for (let at = 0; at < ROUNDS; at++) {
    for (const [receiver, all] of rounds) all.push(await measure(receiver, rate, lines));
  }
  console.log(`${title}, 1,000 names, ${SECONDS} s a round:`);
  for (const [receiver, all] of rounds) {
    for (const { sent, read, dropped } of all) {
      console.log(`  ${receiver}: sent ${sent}, read ${read}, dropped ${dropped}`);
    }
    const cpu = median(all.map((one) => one.cpuMicros)).toFixed(2);
    const speed = (median(all.map((one) => one.linesPerSecond)) / 1e6).toFixed(2);
    console.log(`  ${receiver}: ${cpu} µs of processor time a datagram, ${speed} M lines/s`);
  }
}

async function measure(receiver: string, rate: number, lines: number): Promise<Round> {
  const collector = await startCollector(['--receiver', receiver, '--log-level', 'error']);
  const before = cpuMs(collector.pid);
  const args = ['--import', 'tsx', SENDER, collector.udpPort, rate, SECONDS, 1000, lines];
  const { stdout } = await run(process.execPath, args.map(String));
  const sent = Number.parseInt(stdout, 10);
  const { udp, samples } = await collector.until(({ udp: { datagrams, kernelDrops } }) => {
    return datagrams + (kernelDrops ?? 0) >= sent;
  });
  const cpu = cpuMs(collector.pid) - before;
  if (samples.counters !== udp.datagrams * lines)
    throw new Error(`lines were lost: ${JSON.stringify([udp, samples])}`);
  await collector.stop();
  return {
    sent,
    read: udp.datagrams,
    dropped: udp.kernelDrops ?? 0,
    cpuMicros: (cpu / udp.datagrams) * 1000,
    linesPerSecond: samples.counters / SECONDS,
  };
}

/** Source: proc(5): utime and stime, in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}
