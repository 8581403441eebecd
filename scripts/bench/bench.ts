// `npm run bench [-- --quick]`: statcol beside other collectors, in turns, on one machine: statsd
// from npm, bare sinks, and whatever else is on PATH. Prints tables, writes JSON; without `--quick`
// (a minute) it takes about 20 minutes and writes docs/performance.md and docs/performance.json.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { type BusyRound, measureBusy } from './busy.ts';
import { losslessRate, type Load, measure, type Round } from './measure.ts';
import { type Memory, measureMemory } from './memory.ts';
import { ELSEWHERE, isThere } from './peers/elsewhere.ts';
import { OURS, STANDARD } from './peers/peers.ts';
import type { Peer } from './peers/process.ts';
import { machine, report } from './report.ts';

/** Everything that a run has found; what is written as JSON. */
export interface Results {
  readonly machine: Record<string, string>;
  readonly isQuick: boolean;
  /** Per load, per peer, per round. */
  readonly loads: { id: LoadId; rounds: Record<string, Round[]> }[];
  /** Datagrams a second, per load and peer. */
  readonly lossless: { id: LoadId; rates: Record<string, number> }[];
  /** Each of several runs. */
  readonly memory: Record<'counters' | 'timings', Memory[]>;
  readonly busy: BusyRound[];
  readonly flush: Flush;
  readonly client: { call: string; ours: number; theirs: number; ratio: number }[];
  readonly absent: string[];
}

/** What `flush.ts` has found, in milliseconds. */
export interface Flush {
  names: number;
  bareMs: number[];
  ourMs: number[];
  ratio: number;
  longestMs: number[];
  firstMs: number;
}

/** Names of the loads. */
export type LoadId = 'paced' | 'one' | 'forty' | 'one-many' | 'forty-many';

const isQuick = process.argv.includes('--quick');
const ROUNDS = isQuick ? 1 : 5;
const SECONDS = isQuick ? 0.7 : 1.2;
const LOADS: Record<LoadId, Load> = {
  paced: { rate: 300_000, seconds: SECONDS, names: 1000, lines: 1 },
  one: { rate: 0, seconds: SECONDS, names: 1000, lines: 1 },
  forty: { rate: 0, seconds: SECONDS, names: 1000, lines: 40 },
  'one-many': { rate: 0, seconds: SECONDS, names: 100_000, lines: 1 },
  'forty-many': { rate: 0, seconds: SECONDS, names: 100_000, lines: 40 },
};
const ids = (isQuick ? ['paced', 'forty'] : Object.keys(LOADS)) as LoadId[];
const peers = [...OURS, ...STANDARD, ...(isQuick ? [] : ELSEWHERE.filter(isThere))];
const run = promisify(execFile);

const results: Results = {
  machine: machine(),
  isQuick,
  loads: await sideBySide(),
  lossless: isQuick ? [] : await lossless(),
  memory: {
    counters: await repeated(isQuick ? 1 : 3, () => measureMemory(OURS[0]!, 'c', SECONDS * 5)),
    timings: await repeated(isQuick ? 1 : 3, () => measureMemory(OURS[0]!, 'ms', SECONDS * 10)),
  },
  busy: await repeated(ROUNDS, () => measureBusy(isQuick ? 2 : 5)),
  flush: await otherScript<Flush>('flush.ts'),
  client: await otherScript<Results['client']>('client.ts'),
  absent: ELSEWHERE.filter((peer) => !isThere(peer)).map(({ name }) => name),
};
const page = report(results);
console.log(page);
const json = `${JSON.stringify(results, null, 1)}\n`;
if (isQuick) {
  const file = join(tmpdir(), 'statcol-bench-quick.json');
  writeFileSync(file, json);
  console.log(`written to ${file}`);
} else {
  const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
  writeFileSync(join(docs, 'performance.md'), page);
  writeFileSync(join(docs, 'performance.json'), json);
}

/** Every peer has a turn in each round of each load. */
async function sideBySide(): Promise<Results['loads']> {
  const found: Results['loads'] = [];
  for (const id of ids) {
    const rounds: Record<string, Round[]> = {};
    for (let round = 1; round <= ROUNDS; round++) {
      for (const peer of peers) {
        say(`${id}, round ${round} of ${ROUNDS}: ${peer.name}`);
        (rounds[peer.name] ??= []).push(await right(peer, LOADS[id]));
      }
    }
    found.push({ id, rounds });
  }
  return found;
}

/** Measures; what we have counted ourselves has to be right, or the figure is worth nothing. */
async function right(peer: Peer, load: Load): Promise<Round> {
  const round = await measure(peer, load);
  if (OURS.includes(peer) && round.isRight !== true) {
    throw new Error(`${peer.name}: the sums are wrong: ${JSON.stringify(round)}`);
  }
  return round;
}

async function lossless(): Promise<Results['lossless']> {
  const found: Results['lossless'] = [];
  for (const id of ['one', 'forty', 'one-many', 'forty-many'] as const) {
    const rates: Record<string, number> = {};
    for (const peer of peers) {
      say(`${id}, without loss: ${peer.name}`);
      rates[peer.name] = await losslessRate(peer, LOADS[id]);
    }
    found.push({ id, rates });
  }
  return found;
}

async function repeated<Result>(times: number, once: () => Promise<Result>): Promise<Result[]> {
  const all: Result[] = [];
  for (let at = 0; at < times; at++) all.push(await once());
  return all;
}

async function otherScript<Result>(name: string): Promise<Result> {
  say(name);
  const file = fileURLToPath(new URL(name, import.meta.url));
  const args = ['--import', 'tsx', file, '--json', ...(isQuick ? ['--quick'] : [])];
  const { stdout } = await run(process.execPath, args);
  return JSON.parse(stdout) as Result;
}

function say(what: string): void {
  process.stderr.write(`${what}\n`);
}
