import type { ChaosBook, Chance, Choice, Gate } from './chaos-book.ts';
import { openGate } from './chaos-book.ts';
import type { ChaosStore } from './chaos-single.ts';
import { startCluster } from './redis-cluster.ts';
import { eventually, type RedisNode } from './redis-node.ts';
import { startSentinelGroup } from './redis-sentinel.ts';

/** What a fault is called, how often it is chosen, and what it does. */
type Fault = [kind: string, weight: number, strike: () => Promise<void>];

/** A server that a hash is on, and how another takes its place. */
interface Masters {
  /** What its faults are called by. */
  what: string;
  /** A master, of which hash chance decides. */
  pick(): Promise<{ master: RedisNode; promoted: () => Promise<unknown> }>;
  replicasOf(master: RedisNode): Promise<RedisNode[]>;
  /** Waits until one that was away is a replica in step. */
  back(node: RedisNode): Promise<void>;
}

/** A little: nobody takes a server's place for that. */
const SHORT_MS = [20, 250] as const;

/** Starts a master, a replica and sentinels, whose master is killed or falls asleep. */
export async function startSentinelStore(book: ChaosBook, waits: boolean): Promise<ChaosStore> {
  // Of several replicas sentinels may choose one that has not confirmed what another has.
  const group = await startSentinelGroup({ replicas: 1, durable: true });
  const gate = openGate();
  const chance = book.chance('sentinels');
  const masters: Masters = {
    what: 'sentinel',
    async pick() {
      const master = await group.master();
      return { master, promoted: () => group.promoted(master) };
    },
    async replicasOf(master) {
      return group.servers.filter((one) => one !== master);
    },
    async back(node) {
      await eventually(async () => {
        const [role, ...rest] = (await node.command('ROLE')) as [string, ...unknown[]];
        return role === 'slave' && rest[2] === 'connected';
      }, 'the old master as a replica');
    },
  };
  const faults: Fault[] = [
    ...mastersFaults(masters, book, chance),
    [
      'sentinel: a sentinel is killed',
      1,
      async () => {
        const one = chance.of(group.sentinels);
        book.fault('sentinel: a sentinel is killed');
        await one.kill();
        await chance.pause(...SHORT_MS);
        await one.start();
      },
    ],
  ];
  return {
    args: ['--redis', group.url, '--redis-wait', waits ? '1' : '0'],
    choices: choicesOf(faults, gate),
    pauses: [100, 900],
    withoutStore: undefined,
    healed: () => gate.alone(() => Promise.resolve()),
    hash: (name) => group.hash(name),
    unique: async (key) => Number(await (await group.master()).command('PFCOUNT', key)),
    keys: async () => (await (await group.master()).command('KEYS', '*')) as string[],
    close: () => group.stop(),
  };
}

/** Starts a cluster, whose masters are killed or fall asleep, and whose slots move. */
export async function startClusterStore(
  book: ChaosBook,
  collections: readonly string[],
  waits: boolean,
): Promise<ChaosStore> {
  const cluster = await startCluster({ nodeTimeoutMs: 700, durable: true });
  const gate = openGate();
  const chance = book.chance('cluster');
  const mastersNow = async (): Promise<RedisNode[]> => {
    const running = cluster.nodes.filter(({ pid }) => pid !== undefined);
    const roles = await Promise.all(running.map((node) => node.command('ROLE')));
    return running.filter((_, at) => (roles[at] as string[])[0] === 'master');
  };
  const masters: Masters = {
    what: 'cluster',
    async pick() {
      const key = chance.of(collections);
      const master = await cluster.masterOf(key);
      return { master, promoted: () => cluster.promoted(key, master) };
    },
    replicasOf: (master) => cluster.replicasOf(master),
    back: () => cluster.settled(),
  };
  const faults: Fault[] = [
    ...mastersFaults(masters, book, chance),
    ['cluster: a slot moves', 3, move],
  ];
  return {
    args: ['--redis', cluster.url, '--redis-wait', waits ? '1' : '0'],
    choices: choicesOf(faults, gate),
    pauses: [100, 900],
    withoutStore: undefined,
    healed: () => gate.alone(() => cluster.settled()),
    hash: (name) => cluster.hash(name),
    unique: async (key) => Number(await (await cluster.masterOf(key)).command('PFCOUNT', key)),
    async keys() {
      const all = await Promise.all((await mastersNow()).map((node) => node.command('KEYS', '*')));
      return (all as string[][]).flat();
    },
    close: () => cluster.stop(),
  };

  async function move(): Promise<void> {
    const key = chance.of(collections);
    const from = await cluster.masterOf(key);
    const to = chance.of((await mastersNow()).filter((one) => one !== from));
    book.fault('cluster: a slot moves', key);
    await cluster.beginMove(key, to);
    await chance.pause(...SHORT_MS);
    if (chance.yes(0.7)) await cluster.moveKey(key); // its markers stay behind for a while
    await chance.pause(...SHORT_MS);
    await cluster.endMove(key);
    await cluster.settled();
    await inStep(to); // nobody has waited for what came by the move
  }
}

function mastersFaults(masters: Masters, book: ChaosBook, chance: Chance): Fault[] {
  const { what } = masters;
  return [
    [
      `${what}: a master is killed`,
      3,
      async () => {
        const { master, promoted } = await masters.pick();
        book.fault(`${what}: a master is killed`, String(master.port));
        await master.kill();
        await promoted();
        await chance.pause(...SHORT_MS);
        await master.start();
        await masters.back(master);
      },
    ],
    [
      `${what}: a master is killed while its replica sleeps`,
      3,
      async () => {
        const { master, promoted } = await masters.pick();
        const [replica] = await masters.replicasOf(master);
        if (replica === undefined) return;
        book.fault(`${what}: a master is killed while its replica sleeps`, String(master.port));
        replica.signal('SIGSTOP');
        await chance.pause(...SHORT_MS);
        await master.kill();
        replica.signal('SIGCONT'); // what the master has answered meanwhile, it has not
        await promoted();
        await chance.pause(...SHORT_MS);
        await master.start();
        await masters.back(master);
      },
    ],
    [
      `${what}: a master sleeps for so long that it is replaced`,
      2,
      async () => {
        const { master } = await masters.pick();
        const replicas = await masters.replicasOf(master);
        if (replicas.length === 0) return;
        book.fault(`${what}: a master sleeps for so long that it is replaced`);
        master.signal('SIGSTOP');
        // Those who are asked who the master is would ask the one that sleeps.
        await promotedOf(replicas).finally(() => master.signal('SIGCONT'));
        await masters.back(master);
      },
    ],
    briefly(`${what}: a master sleeps briefly`, async () => (await masters.pick()).master),
    briefly(`${what}: a replica sleeps briefly`, async () => {
      return chance.of(await masters.replicasOf((await masters.pick()).master));
    }),
    told(`${what}: CLIENT KILL`, ['CLIENT', 'KILL', 'TYPE', 'normal']),
    told(`${what}: CLIENT PAUSE`, ['CLIENT', 'PAUSE', '200', 'WRITE']),
  ];

  function briefly(kind: string, pick: () => Promise<RedisNode | undefined>): Fault {
    return [
      kind,
      5,
      async () => {
        const node = await pick();
        if (node === undefined) return;
        book.fault(kind);
        node.signal('SIGSTOP');
        await chance.pause(...SHORT_MS);
        node.signal('SIGCONT');
      },
    ];
  }

  function told(kind: string, command: string[]): Fault {
    return [
      kind,
      5,
      async () => {
        const { master } = await masters.pick();
        book.fault(kind);
        await master.command(...command);
      },
    ];
  }
}

function promotedOf(replicas: readonly RedisNode[]): Promise<void> {
  return eventually(async () => {
    const roles = await Promise.all(replicas.map((node) => node.command('ROLE')));
    return roles.some((role) => (role as string[])[0] === 'master');
  }, 'a promoted replica');
}

/** Waits until a replica of a master has all that it has now. */
async function inStep(master: RedisNode): Promise<void> {
  const offset = Number(/master_repl_offset:(\d+)/.exec(await replicationOf(master))?.[1]);
  await eventually(async () => {
    const found = /state=online,offset=(\d+)/.exec(await replicationOf(master));
    return Number(found?.[1] ?? 0) >= offset;
  }, 'a replica in step');
}

async function replicationOf(master: RedisNode): Promise<string> {
  return String(await master.command('INFO', 'replication'));
}

function choicesOf(faults: readonly Fault[], gate: Gate): Choice[] {
  return faults.map(([kind, weight, strike]) => {
    return { kind, weight, strike: () => gate.alone(strike) };
  });
}
