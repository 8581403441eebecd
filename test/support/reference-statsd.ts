import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a StatsD server holds: a name is the key everywhere. */
export interface Numbers {
  counters: Map<string, number>;
  gauges: Map<string, number>;
  /** How many different members. */
  sets: Map<string, number>;
  /** Every value, ascending. */
  timings: Map<string, number[]>;
  /** `count` is the sum of weights; the mean of a timing that was sampled is not the same in both. */
  summaries: Map<string, { count: number; min: number; max: number; mean: number }>;
}

/** The reference, as a process of its own. */
export interface Reference {
  readonly port: number;
  /** Resolves when it has read and taken apart so many datagrams in all. */
  hasRead(datagrams: number): Promise<void>;
  /** Ends it; resolves with all that it held, members of sets included. */
  stop(): Promise<Numbers & { members: Map<string, string[]> }>;
  /** Resolves when it is gone, with its exit code and what it printed. */
  gone(): Promise<{ code: number | null; stderr: string }>;
  kill(): void;
}

const STATSD = dirname(createRequire(import.meta.url).resolve('statsd/package.json'));
const BACKEND = fileURLToPath(new URL('reference-backend.cjs', import.meta.url));
/** `util.log`, which it needs, is gone from Node 23. */
const SHIM = 'data:text/javascript,import util from "node:util"; util.log ??= () => {};';
/** It counts itself under this; no line can, since a name never keeps a parenthesis. */
const OWN_PREFIX = '(reference)';

/**
 * Starts the reference on free ports, with an interval so long that it flushes once only: on its
 * way out, which is when its backend (`reference-backend.cjs`) writes down what it holds.
 *
 * @param adminPort of its console; 0 takes a free one, which nobody is told.
 */
export async function startReference(adminPort = 0): Promise<Reference> {
  const folder = mkdtempSync(join(tmpdir(), 'statcol-reference-'));
  const resultFile = join(folder, 'result.json');
  const config = {
    // As texts, or it would take a 0 for nothing said.
    ...{ port: '0', address: '127.0.0.1', mgmt_port: `${adminPort}`, mgmt_address: '127.0.0.1' },
    ...{ flushInterval: 86_400_000, backends: [BACKEND], prefixStats: OWN_PREFIX },
    ...{ resultFile, udpServer: join(STATSD, 'servers/udp.js') },
  };
  writeFileSync(join(folder, 'config.js'), JSON.stringify(config));
  const child = fork(join(STATSD, 'stats.js'), [join(folder, 'config.js')], {
    execArgv: ['--import', SHIM],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr!.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = once(child, 'close').then(([code]) => {
    const text = existsSync(resultFile) ? readFileSync(resultFile, 'utf8') : '';
    rmSync(folder, { recursive: true });
    return { code: code as number | null, stderr, text };
  });
  /** Resolves with what it says next. */
  async function said<Body>(): Promise<Body> {
    const message = once(child, 'message', { signal: AbortSignal.timeout(20_000) });
    const gone = ended.then(({ stderr: text }) => {
      throw new Error(`the reference has ended: ${text}`);
    });
    return ((await Promise.race([message, gone])) as [Body])[0];
  }
  const { port } = await said<{ port: number }>();

  return {
    port,
    async hasRead(datagrams) {
      const answer = said();
      child.send({ until: datagrams });
      await answer;
    },
    async stop() {
      child.kill('SIGTERM');
      const { text, stderr: fault } = await ended;
      if (text === '') throw new Error(`the reference has told nothing: ${fault}`);
      return readNumbers(text);
    },
    gone: () => ended,
    kill: () => void child.kill('SIGKILL'),
  };
}

type Entries<Value> = [name: string, value: Value][];

function readNumbers(text: string): Numbers & { members: Map<string, string[]> } {
  const held = JSON.parse(text) as {
    [kind in 'counters' | 'gauges']: Entries<string>;
  } & { timers: Entries<string[]>; sets: Entries<string[]> } & {
    timer_data: Entries<Record<'count' | 'lower' | 'upper' | 'mean', string>>;
  };
  const plain = (entries: Entries<string>): Map<string, number> =>
    new Map(
      entries
        .filter(([name]) => !name.startsWith(OWN_PREFIX))
        .map(([name, value]) => [name, Number(value)]),
    );
  const ascending = (values: string[]): number[] => values.map(Number).toSorted((a, b) => a - b);
  return {
    counters: plain(held.counters),
    gauges: plain(held.gauges),
    members: new Map(held.sets),
    sets: new Map(held.sets.map(([name, members]) => [name, members.length])),
    timings: new Map(held.timers.map(([name, values]) => [name, ascending(values)])),
    summaries: new Map(
      held.timer_data.map(([name, { count, lower, upper, mean }]) => {
        const [min, max] = [Number(lower), Number(upper)];
        return [name, { count: Number(count), min, max, mean: Number(mean) }];
      }),
    ),
  };
}
