import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { openSender } from '../../../test/support/udp.ts';

/** A collector that is measured, as a process of its own on the core for collectors. */
export interface Running {
  readonly pid: number;
  readonly port: number;
  /** Returns how many counted lines it tells, once it has read all; undefined if it tells nobody. */
  counted(): Promise<number | undefined>;
  stop(): Promise<void>;
}

/** A collector to be measured. */
export interface Peer {
  readonly name: string;
  /** Program that has to be on PATH; undefined for those that npm has installed. */
  readonly program?: string;
  start(): Promise<Running>;
}

/** Collectors run on this core, senders on the other. */
const COLLECTOR_CORE = '0';

/** Runs a program on the core for collectors. */
export function onCollectorCore(command: string, args: string[]): ChildProcess {
  return spawn('taskset', ['-c', COLLECTOR_CORE, command, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** Returns statcol with some flags, as it is built. */
export function statcol(name: string, flags: string[]): Peer {
  return {
    name,
    async start() {
      const bin = fromHere('../../../bin/statcol.js');
      const args = [bin, 'listen', '--port', '0', '--http', '0', '--log-level', 'error', ...flags];
      const child = onCollectorCore(process.execPath, args);
      const [udp = '', http = ''] = await lines(child, 2);
      return running(child, Number(udp.split(':').at(-1)), async () => {
        for (;;) {
          const vitals = await fetchJson<Vitals>(new URL('api/vitals', http));
          if (vitals.counters.pending > 0) await pause(100);
          else return sumOf(await fetchJson(new URL('api/counters', http)), vitals);
        }
      });
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

/** A program from elsewhere, started with a config that is written for it. */
function fromPath(
  program: string,
  config: (port: number, folder: string) => { text: string; args: string[] },
): Peer {
  return {
    name: program,
    program,
    async start() {
      const port = await freePort();
      const folder = mkdtempSync(join(tmpdir(), 'statcol-bench-'));
      const { text, args } = config(port, folder);
      writeFileSync(join(folder, 'config'), text);
      const child = onCollectorCore(program, args);
      await untilBound(port, child);
      return running(child, port, undefined, async () => {
        await end(child);
        rmSync(folder, { recursive: true, force: true });
      });
    },
  };
}

const brubeck = fromPath('brubeck', (port, folder) => ({
  text: JSON.stringify({
    ...{ sharding: false, server_name: 'bench', dumpfile: join(folder, 'dump'), capacity: 18 },
    backends: [{ type: 'carbon', address: '127.0.0.1', port: 9, frequency: 10 }],
    samplers: [
      { type: 'statsd', address: '127.0.0.1', port, workers: 1, multisock: false, multimsg: 64 },
    ],
  }),
  args: ['--config', join(folder, 'config')],
}));

const statsite = fromPath('statsite', (port, folder) => ({
  text: [
    '[statsite]',
    ...[`port = 0`, `udp_port = ${port}`, 'bind_address = 127.0.0.1', 'flush_interval = 10'],
    'log_level = ERROR',
    'stream_cmd = cat > /dev/null',
    '',
  ].join('\n'),
  args: ['-f', join(folder, 'config')],
}));

const collectd = fromPath('collectd', (port, folder) => ({
  text: [
    `BaseDir "${folder}"`,
    `PIDFile "${join(folder, 'pid')}"`,
    'TypesDB "/usr/share/collectd/types.db"',
    'Interval 10',
    'LoadPlugin statsd',
    `<Plugin statsd>\n  Host "127.0.0.1"\n  Port "${port}"\n</Plugin>`,
    '',
  ].join('\n'),
  args: ['-f', '-C', join(folder, 'config')],
}));

const netdata = fromPath('netdata', (port, folder) => ({
  text: [
    '[global]\n  run as user = root',
    `[directories]\n  cache = ${folder}\n  lib = ${folder}\n  log = ${folder}\n  config = ${folder}`,
    '[db]\n  mode = ram\n  retention = 60',
    '[web]\n  mode = none',
    `[plugins]\n  enable running new plugins = no\n${['proc', 'diskspace', 'cgroups', 'tc', 'idlejitter', 'timex', 'checks', 'apps', 'python.d', 'charts.d', 'go.d', 'ebpf', 'slabinfo', 'perf', 'fping', 'ioping', 'nfacct', 'freeipmi', 'debugfs', 'systemd-journal', 'loops'].map((name) => `  ${name} = no`).join('\n')}\n  statsd = yes`,
    '[ml]\n  enabled = no',
    `[statsd]\n  enabled = yes\n  default port (tcp and udp) = ${port}\n  bind to = udp:127.0.0.1:${port}\n  max private charts hard limit = 10`,
    '',
  ].join('\n'),
  args: ['-D', '-c', join(folder, 'config')],
}));

const gostatsd = fromPath('gostatsd', (port) => ({
  text: '',
  args: ['--metrics-addr', `127.0.0.1:${port}`, '--backends', 'null', '--flush-interval', '10s'],
}));

const statsdExporter = fromPath('statsd_exporter', (port) => ({
  text: '',
  args: [
    `--statsd.listen-udp=127.0.0.1:${port}`,
    ...['--statsd.listen-tcp=', '--web.listen-address=127.0.0.1:0', '--log.level=error'],
  ],
}));

/** The collector as it is started by default, and by its other way of receiving. */
export const OURS: readonly Peer[] = [
  statcol('statcol', []),
  statcol('statcol (dgram)', ['--receiver', 'dgram']),
];
/** What is there wherever the bench runs. */
export const STANDARD: readonly Peer[] = [
  statsd,
  bareSink('bare sink, wakes', 'wake'),
  bareSink('bare sink, rests', 'rest'),
];
/** What is measured where it is on PATH. */
export const ELSEWHERE: readonly Peer[] = [
  ...[brubeck, statsite, netdata, collectd, gostatsd, statsdExporter],
];

/** Returns whether a peer's program can be started. */
export function isThere({ program }: Peer): boolean {
  if (program === undefined) return true;
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

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

function running(
  child: ChildProcess,
  port: number,
  counted: Running['counted'] = () => Promise.resolve(undefined),
  stop: Running['stop'] = () => end(child),
): Running {
  return { pid: child.pid!, port, counted, stop };
}

async function end(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

/** Resolves with the first lines that a program prints. */
async function lines(child: ChildProcess, count: number): Promise<string[]> {
  let text = '';
  while (text.split('\n').length <= count) {
    const [data] = (await once(child.stdout!, 'data')) as [Buffer];
    text += data.toString();
  }
  return text.split('\n').slice(0, count);
}

/** A port that nobody holds in this moment. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** Resolves when somebody has bound the port. */
async function untilBound(port: number, child: ChildProcess): Promise<void> {
  const deadlineMs = Date.now() + 20_000;
  const { readUdpSocket } = await import('../../../dist/ingest/proc-net-udp.js');
  while (readUdpSocket('127.0.0.1', port) === undefined) {
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      throw new Error(`${child.spawnargs.join(' ')} does not listen on ${port}`);
    }
    await pause(20);
  }
}

async function fetchJson<Body>(url: URL): Promise<Body> {
  return (await (await fetch(url)).json()) as Body;
}

function fromHere(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
