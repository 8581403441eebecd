import { eventually, pairs, type RedisNode, startNode, startSentinel } from './redis-node.ts';

/** A master, its replicas and the sentinels that watch them: real servers on free ports. */
export interface SentinelGroup {
  readonly url: string;
  readonly servers: readonly RedisNode[];
  readonly sentinels: readonly RedisNode[];
  /** The master, as all of the sentinels see it. */
  master(): Promise<RedisNode>;
  /** Kills the master and returns it. */
  killMaster(): Promise<RedisNode>;
  /** Waits until all sentinels name another than `old`, and it takes writes. */
  promoted(old: RedisNode): Promise<RedisNode>;
  /** Starts one that was killed, and waits until it is a replica that is in step. */
  rejoin(node: RedisNode): Promise<void>;
  /** Returns a hash, from the master. */
  hash(name: string): Promise<Map<string, string>>;
  stop(): Promise<void>;
}

/** How they are set up. */
export interface SentinelOptions {
  replicas?: number;
  /** How long the master may be silent before it is thought dead. */
  downAfterMs?: number;
  /** Every write is on disk before it is answered. */
  durable?: boolean;
}

const NAME = 'counts';

/** Starts everything; resolves when the sentinels know each other and all replicas. */
export async function startSentinelGroup(options: SentinelOptions = {}): Promise<SentinelGroup> {
  const { replicas = 2, downAfterMs = 700, durable = false } = options;
  const args = [
    ...['--repl-diskless-sync-delay', '0'],
    ...(durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []),
  ];
  const first = await startNode(...args);
  const servers = [first];
  for (let n = 0; n < replicas; n++) {
    const replica = await startNode(...args);
    await replica.command('REPLICAOF', '127.0.0.1', String(first.port));
    servers.push(replica);
  }
  await eventually(() => inStep(first, replicas), 'replicas in step');
  const config = [
    `sentinel monitor ${NAME} 127.0.0.1 ${first.port} 2`,
    `sentinel down-after-milliseconds ${NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${NAME} 3000`,
    `sentinel parallel-syncs ${NAME} 2`,
  ].join('\n');
  const sentinels: RedisNode[] = [];
  for (let n = 0; n < 3; n++) sentinels.push(await startSentinel(`${config}\n`));
  await eventually(areAcquainted, 'sentinels that know each other');

  const group: SentinelGroup = {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${NAME}`,
    servers,
    sentinels,
    async master() {
      let found: RedisNode | undefined;
      await eventually(async () => (found = await seen()) !== undefined, 'a master');
      return found!;
    },
    async killMaster() {
      const master = await group.master();
      await master.kill();
      return master;
    },
    async promoted(old) {
      await eventually(async () => {
        const now = await seen();
        if (now === undefined || now === old) return false;
        return ((await now.command('ROLE')) as string[])[0] === 'master';
      }, 'a promoted replica');
      return group.master();
    },
    async rejoin(node) {
      await node.start();
      await eventually(async () => {
        const [role, ...rest] = (await node.command('ROLE')) as [string, ...unknown[]];
        return role === 'slave' && rest[2] === 'connected';
      }, 'the old master as a replica');
    },
    async hash(name) {
      return pairs(await (await group.master()).command('HGETALL', name));
    },
    async stop() {
      for (const node of [...sentinels, ...servers]) await node.stop();
    },
  };
  return group;

  /** Undefined while they do not agree. */
  async function seen(): Promise<RedisNode | undefined> {
    const up = sentinels.filter(({ pid }) => pid !== undefined);
    const asked = up.map((one) => one.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME));
    const ports = (await Promise.all(asked)).map((reply) => Number((reply as string[])[1]));
    const [port] = ports;
    return ports.every((one) => one === port)
      ? servers.find((one) => one.port === port)
      : undefined;
  }

  async function areAcquainted(): Promise<boolean> {
    for (const one of sentinels) {
      const info = String(await one.command('INFO', 'sentinel'));
      if (!info.includes(`slaves=${replicas},sentinels=3`)) return false;
    }
    return true;
  }
}

async function inStep(master: RedisNode, replicas: number): Promise<boolean> {
  const info = String(await master.command('INFO', 'replication'));
  return [...info.matchAll(/state=online/g)].length === replicas;
}
