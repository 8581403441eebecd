import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { openSender } from '../../../test/support/udp.ts';
import {
  end,
  freePort,
  lines,
  onCollectorCore,
  type Peer,
  running,
  type Running,
  untilBound,
} from './process.ts';

/** Where a running statcol answers. */
export interface Endpoint {
  readonly http: string;
}

/** Returns statcol with some flags, as it is built. */
export function statcol(
  name: string,
  flags: string[],
): { name: string; start(): Promise<Running & Endpoint> } {
  return {
    name,
    async start() {
      const bin = fromHere('../../../bin/statcol.js');
      const folder = mkdtempSync(join(tmpdir(), 'statcol-bench-'));
      process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
      const own = flags.map((flag) => (flag === FOLDER ? folder : flag));
      const args = [bin, 'listen', '--port', '0', '--http', '0', '--log-level', 'error', ...own];
      const child = onCollectorCore(process.execPath, args);
      const [udp = '', http = ''] = await lines(child, 2);
      const counted = async (): Promise<number> => {
        for (;;) {
          const vitals = await fetchJson<Vitals>(new URL('api/vitals', http));
          if (vitals.counters.pending > 0) await pause(100);
          else return sumOf(await fetchJson(new URL('api/counters', http)), vitals);
        }
      };
      return { ...running(child, Number(udp.split(':').at(-1)), counted), http };
    },
  };
}

/** The `recvmmsg` sink that counts datagrams and looks at none. */
function bareSink(name: string, mode: 'wake' | 'rest'): Peer {
  return {
    name,
    async start() {
      const args = ['--import', 'tsx', fromHere('bare-sink.ts'), mode];
      const child = onCollectorCore(process.execPath, args);
      const [port] = await lines(child, 1);
      return running(child, Number(port), undefined, async () => {
        const sender = openSender(Number(port));
        await sender.send('end');
        sender.close();
        await once(child, 'close');
      });
    },
  };
}

/** statsd from npm, with a backend that does nothing but tell what was counted. */
const statsd: Peer = {
  name: 'statsd (npm)',
  async start() {
    const port = await freePort();
    const config = {
      ...{ port, address: '127.0.0.1', mgmt_port: await freePort(), flushInterval: 1000 },
      backends: [fromHere('statsd-backend.cjs')],
      ...{ deleteIdleStats: true, debug: false, healthStatus: 'up' },
    };
    const folder = mkdtempSync(join(tmpdir(), 'statcol-bench-'));
    const file = join(folder, 'config.js');
    writeFileSync(file, JSON.stringify(config));
    const child = onCollectorCore(process.execPath, [
      fromHere('../../../node_modules/statsd/stats.js'),
      file,
    ]);
    let text = '';
    child.stdout!.on('data', (data: Buffer) => (text = `${text}${data.toString()}`.slice(-200)));
    await untilBound(port, child);
    const last = (): number => Number(/.*counted (\d+)/s.exec(text)?.[1] ?? 0);
    return running(
      child,
      port,
      async () => {
        for (let before = -1; ; await pause(1100)) {
          if (last() === before) return before;
          before = last();
        }
      },
      () => {
        rmSync(folder, { recursive: true });
        return end(child);
      },
    );
  },
};

/** Stands for a folder of its own in flags. */
const FOLDER = '<folder>';

/** The collector as it is started by default, with its ledger in a file, and received otherwise. */
export const OURS: readonly Peer[] = [
  statcol('statcol', []),
  statcol('statcol (state dir)', ['--state-dir', FOLDER]),
  statcol('statcol (dgram)', ['--receiver', 'dgram']),
];
/** What is there wherever the bench runs. */
export const STANDARD: readonly Peer[] = [
  statsd,
  bareSink('bare sink, wakes', 'wake'),
  bareSink('bare sink, rests', 'rest'),
];
interface Vitals {
  counters: { pending: number };
  samples: { counters: number };
}

/** Sums all counters, and sees to it that this is what was accepted. */
function sumOf(counters: Record<string, Record<string, number>>, { samples }: Vitals): number {
  const all = Object.values(counters).flatMap((fields) => Object.values(fields));
  const sum = all.reduce((a, b) => a + b, 0);
  if (sum !== samples.counters) throw new Error(`${sum} counted, ${samples.counters} accepted`);
  return sum;
}

async function fetchJson<Body>(url: URL): Promise<Body> {
  return (await (await fetch(url)).json()) as Body;
}

function fromHere(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
