import type { Time } from '../flush/time.ts';
import { isErrorReply } from './node-redis.ts';
import { type Asking, askServers, isMisplaced } from './redis-asking.ts';
import { keySlot } from './redis-slot.ts';
import { type Call, createRedisLink, type RedisLink, type RedisLinkOptions } from './redis-link.ts';
import type { RedisRoute } from './redis-route.ts';
import {
  addressOf,
  groupLabel,
  type HostPort,
  memberAddress,
  type RedisGroup,
} from './redis-url.ts';

/** As many redirections as node-redis and others follow before they call it a circle. */
const TURNS_MAX = 16;
/** While a slot moves, the keys of a chunk may be on different sides; it is over soon. */
const TRY_AGAIN_MS = 50;

/** Who has which slots, and who else is there to be asked. */
interface Topology {
  readonly owners: Map<number, HostPort>;
  readonly nodes: readonly HostPort[];
}

/**
 * Creates the route to the masters of a cluster, with a connection to each that is needed. A master
 * that sends us on is obeyed. Whatever else goes wrong on the way costs all connections, and the
 * next try begins with asking who has which slots: that is how a promoted replica is found.
 */
export function createClusterRoute(group: RedisGroup, options: RedisLinkOptions): RedisRoute {
  const label = groupLabel(group);
  const links = new Map<string, RedisLink>();
  let known: readonly HostPort[] = [];
  let asking: Asking<Topology> | undefined;
  let topology: Topology | undefined;
  let connecting: Promise<Topology> | undefined;
  let closes = 0;

  return {
    kind: 'redis-cluster',
    label,
    get connected() {
      return topology !== undefined;
    },
    connect: async () => void (await connected()),
    session,
    async everywhere(work) {
      const era = closes;
      const { owners } = await connected();
      const masters = new Map([...owners.values()].map((place) => [addressOf(place), place]));
      for (const place of masters.values()) {
        checkOpen(era);
        await linkTo(place).session(work);
      }
    },
    close() {
      closes++;
      asking?.close();
      giveUp();
    },
  };

  async function session<Result>(
    key: string,
    work: (call: Call) => Promise<Result>,
  ): Promise<Result> {
    const era = closes;
    const { owners } = await connected();
    const slot = keySlot(key);
    let place = owners.get(slot);
    let isAsking = false;
    for (let turn = 0; ; turn++) {
      checkOpen(era);
      if (place === undefined) {
        giveUp();
        throw new Error(`no node of the ${label} has slot ${slot}, that of ${key}`);
      }
      const link = linkTo(place);
      try {
        return await link.session(isAsking ? afterAsking(work) : work);
      } catch (error) {
        const next = turn < TURNS_MAX ? readRedirection(error, place) : undefined;
        if (next === undefined) {
          if (!link.connected || isMisplaced(error)) giveUp();
          throw error;
        }
        if (next === 'again') await pause(options.time, TRY_AGAIN_MS);
        else {
          ({ place, isAsking } = next);
          if (!isAsking) owners.set(slot, place);
        }
      }
    }
  }

  function linkTo(place: HostPort): RedisLink {
    const name = addressOf(place);
    const link =
      links.get(name) ??
      createRedisLink({
        ...options,
        address: memberAddress(group, place),
        onLost(error) {
          if (links.get(name) !== link) return;
          giveUp();
          options.onLost(`${name}: ${error}`);
        },
      });
    links.set(name, link);
    return link;
  }

  function connected(): Promise<Topology> {
    if (topology !== undefined) return Promise.resolve(topology);
    connecting ??= discover().finally(() => (connecting = undefined));
    return connecting;
  }

  /** Asks also the nodes that were there before: those in the URL may all be gone by now. */
  async function discover(): Promise<Topology> {
    const era = closes;
    const places = new Map([...known, ...group.seeds].map((one) => [addressOf(one), one]));
    const asked = [...places.values()].map((place) => ({
      place,
      address: memberAddress(group, place),
    }));
    asking = askServers(asked, options, async (link, place) => {
      return readSlots(await link.call(['CLUSTER', 'SLOTS']), place);
    });
    const found = await asking.first(`no node of the ${label} answers`);
    checkOpen(era);
    known = shifted(found.nodes);
    return (topology = found);
  }

  /** What was begun before a close must not open anything behind it. */
  function checkOpen(era: number): void {
    if (era !== closes) throw new Error(`${label} was closed`);
  }

  function giveUp(): void {
    topology = undefined;
    const open = [...links.values()];
    links.clear();
    for (const link of open) link.close();
  }
}

/** A node that holds a slot that is being moved to it serves it only to those who ask for that. */
function afterAsking<Result>(
  work: (call: Call) => Promise<Result>,
): (call: Call) => Promise<Result> {
  return async (call) => {
    await call(['ASKING']);
    return work(call);
  };
}

type Redirection = { place: HostPort; isAsking: boolean } | 'again';

/** Returns where a node sends us; undefined where its error says something else. */
function readRedirection(error: unknown, from: HostPort): Redirection | undefined {
  if (!isErrorReply(error)) return undefined;
  if (error.message.startsWith('TRYAGAIN')) return 'again';
  const match = /^(MOVED|ASK) \d+ (.*):(\d+)$/.exec(error.message);
  if (match === null) return undefined;
  const host = readHost(match[2], from);
  return { place: { host, port: Number(match[3]) }, isAsking: match[1] === 'ASK' };
}

/** A node that does not know its own name leaves it out: it is the one that was asked. */
function readHost(host: unknown, from: HostPort): string {
  return typeof host === 'string' && host !== '' && host !== '?' ? host : from.host;
}

type SlotNode = readonly [host: string | null, port: number];
type SlotRange = readonly [first: number, last: number, master: SlotNode, ...replicas: SlotNode[]];

/** Reads the answer to `CLUSTER SLOTS`. */
function readSlots(reply: unknown, from: HostPort): Topology {
  const owners = new Map<number, HostPort>();
  const nodes: HostPort[] = [];
  for (const [first, last, ...there] of reply as readonly SlotRange[]) {
    const places = there.map(([host, port]) => ({ host: readHost(host, from), port }));
    nodes.push(...places);
    for (let slot = first; slot <= last; slot++) owners.set(slot, places[0]!);
  }
  if (owners.size === 0) throw new Error('it knows no slots: it is no member of a cluster yet');
  return { owners, nodes };
}

/** Turns a list around by chance, so that one that leads us astray is not always asked first. */
function shifted<Item>(items: readonly Item[]): Item[] {
  const at = Math.floor(Math.random() * items.length);
  return [...items.slice(at), ...items.slice(0, at)];
}

function pause(time: Time, ms: number): Promise<void> {
  return new Promise((resolve) => void time.after(ms, resolve));
}
