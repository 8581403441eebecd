import { keySlot } from '../../src/sinks/redis-slot.ts';
import { freePort } from './redis-server.ts';
import { eventually, pairs, type RedisNode, startNode } from './redis-node.ts';

/** A Redis Cluster of a test's own: real servers on free ports, as many replicas as masters. */
export interface RedisCluster {
  readonly url: string;
  /** All of them: first those that began as masters, then their replicas in the same order. */
  readonly nodes: readonly RedisNode[];
  /** The master that has a key now, as most of the nodes see it. */
  masterOf(key: string): Promise<RedisNode>;
  /** Its replicas that are linked to it. */
  replicasOf(master: RedisNode): Promise<RedisNode[]>;
  /** Kills the master of a key and returns it; its replica takes its place by and by. */
  killMasterOf(key: string): Promise<RedisNode>;
  /** Waits until another than `old` is the master of a key, and all that run agree on it. */
  promoted(key: string, old: RedisNode): Promise<RedisNode>;
  /** Waits until every node that runs sees a whole cluster and every replica is in step. */
  settled(): Promise<void>;
  /** Begins to move the slot of a key: what is not there any more is asked for at the other. */
  beginMove(key: string, to: RedisNode): Promise<void>;
  /** Moves one key of a slot that is being moved. */
  moveKey(key: string): Promise<void>;
  /** Moves what is left in the slot, and makes the other its owner. */
  endMove(key: string): Promise<void>;
  /** Returns a hash, from its master. */
  hash(name: string): Promise<Map<string, string>>;
  stop(): Promise<void>;
}

/** How a cluster is set up. */
export interface ClusterOptions {
  masters?: number;
  /** How long a node may be silent before the others think it dead. */
  nodeTimeoutMs?: number;
  /** Every write is on disk before it is answered. */
  durable?: boolean;
}

const SLOTS = 16_384;

/** Starts a cluster; resolves when all of it is in order. */
export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters: count = 3, nodeTimeoutMs = 1000, durable = false } = options;
  const args = [
    ...['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)],
    ...['--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0'],
    ...(durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []),
  ];
  const nodes: RedisNode[] = [];
  for (let n = 0; n < 2 * count; n++) {
    nodes.push(await startNode(...args, '--cluster-port', String(await freePort())));
  }
  const ids = new Map<RedisNode, string>();
  const moving = new Map<string, { from: RedisNode; to: RedisNode }>();
  await join();

  const cluster: RedisCluster = {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    masterOf,
    replicasOf,
    async killMasterOf(key) {
      const master = await masterOf(key);
      await master.kill();
      return master;
    },
    async promoted(key, old) {
      await eventually(async () => (await masterOf(key)) !== old, `a new master of ${key}`);
      return masterOf(key);
    },
    settled,
    beginMove,
    moveKey,
    endMove,
    async hash(name) {
      return pairs(await (await masterOf(name)).command('HGETALL', name));
    },
    async stop() {
      for (const node of nodes) await node.stop();
    },
  };
  return cluster;

  async function join(): Promise<void> {
    for (const node of nodes) ids.set(node, String(await node.command('CLUSTER', 'MYID')));
    const busOf = async (node: RedisNode): Promise<string> => {
      return String(((await node.command('CONFIG', 'GET', 'cluster-port')) as string[])[1]);
    };
    for (const [at, node] of nodes.slice(0, count).entries()) {
      const first = Math.floor((at * SLOTS) / count);
      const last = Math.floor(((at + 1) * SLOTS) / count) - 1;
      await node.command('CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
      await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1));
    }
    for (const node of nodes.slice(1)) {
      const bus = await busOf(node);
      await nodes[0]!.command('CLUSTER', 'MEET', '127.0.0.1', String(node.port), bus);
    }
    await eventually(async () => {
      const known = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'NODES')));
      return known.every((text) => [...ids.values()].every((id) => String(text).includes(id)));
    }, 'nodes that know each other');
    for (const [at, node] of nodes.slice(count).entries()) {
      await node.command('CLUSTER', 'REPLICATE', ids.get(nodes[at]!)!);
    }
    await settled();
  }

  function running(): RedisNode[] {
    return nodes.filter(({ pid }) => pid !== undefined);
  }

  async function masterOf(key: string): Promise<RedisNode> {
    const slot = keySlot(key);
    const votes = await Promise.all(running().map((node) => ownerSeenBy(node, slot)));
    const first = votes[0];
    if (first === undefined || votes.some((one) => one !== first)) {
      await eventually(async () => {
        const again = await Promise.all(running().map((node) => ownerSeenBy(node, slot)));
        return again[0] !== undefined && again.every((one) => one === again[0]);
      }, `nodes that agree on the master of ${key}`);
      return (await ownerSeenBy(running()[0]!, slot))!;
    }
    return first;
  }

  async function ownerSeenBy(node: RedisNode, slot: number): Promise<RedisNode | undefined> {
    type Range = [number, number, [string, number]];
    const ranges = (await node.command('CLUSTER', 'SLOTS')) as Range[];
    const range = ranges.find(([first, last]) => first <= slot && slot <= last);
    return nodes.find(({ port }) => port === range?.[2][1]);
  }

  async function replicasOf(master: RedisNode): Promise<RedisNode[]> {
    const info = String(await master.command('INFO', 'replication'));
    const ports = [...info.matchAll(/port=(\d+),state=online/g)].map(([, port]) => Number(port));
    return nodes.filter(({ port }) => ports.includes(port));
  }

  async function settled(): Promise<void> {
    await eventually(async () => {
      for (const node of running()) {
        const info = String(await node.command('CLUSTER', 'INFO'));
        if (!info.includes('cluster_state:ok')) return false;
        const [role, ...rest] = (await node.command('ROLE')) as [string, ...unknown[]];
        if (role === 'slave' && rest[2] !== 'connected') return false;
      }
      return true;
    }, 'a cluster in order');
  }

  async function beginMove(key: string, to: RedisNode): Promise<void> {
    const from = await masterOf(key);
    const slot = String(keySlot(key));
    moving.set(slot, { from, to });
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids.get(from)!);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids.get(to)!);
  }

  async function moveKey(key: string): Promise<void> {
    const { from, to } = moving.get(String(keySlot(key)))!;
    await from.command('MIGRATE', '127.0.0.1', String(to.port), key, '0', '5000');
  }

  async function endMove(key: string): Promise<void> {
    const slot = String(keySlot(key));
    const { from, to } = moving.get(slot)!;
    const left = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, '1000')) as string[];
    for (const one of left) await moveKey(one);
    for (const node of [to, from]) {
      await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', ids.get(to)!);
    }
    moving.delete(slot);
  }
}
