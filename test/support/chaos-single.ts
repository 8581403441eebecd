import { setTimeout as pause } from 'node:timers/promises';

import type { ChaosBook, Choice, Gate } from './chaos-book.ts';
import { openGate } from './chaos-book.ts';
import { openWay } from './chaos-network.ts';
import { eventually, pairs, startNode } from './redis-node.ts';

/** What the counters go to. */
export interface ChaosStore {
  /** Where a collector is to find it. */
  readonly args: readonly string[];
  readonly choices: readonly Choice[];
  /** Pauses between two faults, in milliseconds. */
  readonly pauses: readonly [number, number];
  /** Takes it away while `work` is done; undefined where that is not to be had. */
  readonly withoutStore: ((work: () => Promise<void>) => Promise<void>) | undefined;
  /** Resolves when all of it is as it should be. */
  healed(): Promise<void>;
  hash(name: string): Promise<Map<string, string>>;
  /** About how many members a set has. */
  unique(key: string): Promise<number>;
  /** All keys there are. */
  keys(): Promise<string[]>;
  close(): Promise<void>;
}

/** Everything on disk before it is answered, and the file made anew often. */
const DURABLE = [
  ...['--appendonly', 'yes', '--appendfsync', 'always'],
  ...['--auto-aof-rewrite-min-size', '4mb'],
];

/** Starts one server, behind a way on which things go wrong. */
export async function startSingle(
  book: ChaosBook,
  collections: readonly string[],
): Promise<ChaosStore> {
  const node = await startNode(...DURABLE);
  const way = await openWay(book, 'redis way', node.port, 450);
  const gate: Gate = openGate();
  const chance = book.chance('redis');
  const alone = (strike: () => Promise<void>): (() => Promise<void>) => {
    return () => gate.alone(strike);
  };
  const faults: [kind: string, weight: number, strike: (kind: string) => Promise<void>][] = [
    ['redis: kill -9', 3, killed],
    ['redis: SIGSTOP, SIGCONT', 3, stopped],
    ['redis: CLIENT KILL', 4, (kind) => told(kind, ['CLIENT', 'KILL', 'TYPE', 'normal'])],
    ['redis: CLIENT PAUSE', 3, paused],
    ['redis: full', 2, full],
    ['redis: read-only', 2, readOnly],
    ['redis: a hash is a string', 3, renamed],
  ];

  return {
    args: ['--redis', `redis://127.0.0.1:${way.port}`],
    choices: faults.map(([kind, weight, strike]) => {
      return { kind, weight, strike: alone(() => strike(kind)) };
    }),
    pauses: [100, 900],
    withoutStore: (work) => gate.alone(() => without(work)),
    healed: () => gate.alone(() => way.clear()),
    hash: async (name) => pairs(await node.command('HGETALL', name)),
    unique: async (key) => Number(await node.command('PFCOUNT', key)),
    keys: async () => (await node.command('KEYS', '*')) as string[],
    async close() {
      await way.close();
      await node.stop();
    },
  };

  async function without(work: () => Promise<void>): Promise<void> {
    const isKilled = chance.yes(0.5);
    if (isKilled) await node.kill();
    else node.signal('SIGSTOP');
    try {
      await work();
    } finally {
      if (isKilled) await node.start();
      else node.signal('SIGCONT');
    }
  }

  async function killed(kind: string): Promise<void> {
    book.fault(kind);
    await node.kill();
    await chance.pause(0, 200);
    await node.start();
  }

  async function stopped(kind: string): Promise<void> {
    book.fault(kind);
    node.signal('SIGSTOP');
    await chance.pause(10, 400);
    node.signal('SIGCONT');
  }

  async function told(kind: string, command: string[]): Promise<void> {
    book.fault(kind);
    await node.command(...command);
  }

  async function paused(kind: string): Promise<void> {
    const ms = chance.whole(20, 300);
    await told(kind, ['CLIENT', 'PAUSE', String(ms), chance.of(['ALL', 'WRITE'])]);
    await pause(ms); // nor is anything else to be asked before
  }

  async function full(kind: string): Promise<void> {
    await told(kind, ['CONFIG', 'SET', 'maxmemory', '1']);
    await chance.pause(20, 300);
    await insist('CONFIG', 'SET', 'maxmemory', '0');
  }

  async function readOnly(kind: string): Promise<void> {
    await told(kind, ['REPLICAOF', '127.0.0.1', '1']);
    await chance.pause(20, 300);
    await insist('REPLICAOF', 'NO', 'ONE');
  }

  /** In one step away, and in one step back, so that nothing is written in between. */
  async function renamed(kind: string): Promise<void> {
    const hash = chance.of(collections);
    if ((await node.command('EXISTS', hash)) !== 1) return;
    book.fault(kind, hash);
    await insist('EVAL', RENAME_AWAY, '2', hash, AWAY);
    await chance.pause(20, 400);
    await insist('EVAL', RENAME_BACK, '2', hash, AWAY);
  }

  async function insist(...command: string[]): Promise<void> {
    await eventually(async () => {
      await node.command(...command);
      return true;
    }, command.join(' '));
  }
}

const AWAY = 'chaos:away';
const RENAME_AWAY = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('SET', KEYS[1], 'in the way')
return 1`;
const RENAME_BACK = `
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('RENAME', KEYS[2], KEYS[1])
return 1`;
