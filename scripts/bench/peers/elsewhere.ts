import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { end, freePort, onCollectorCore, type Peer, running, untilBound } from './process.ts';

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

/** What is measured where it is on PATH. Only `collectd` and `netdata` were tried so far. */
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
