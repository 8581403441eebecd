import { type Asking, askServers, isMisplaced } from './redis-asking.ts';
import { type Call, createRedisLink, type RedisLink, type RedisLinkOptions } from './redis-link.ts';
import type { RedisRoute } from './redis-route.ts';
import {
  addressOf,
  groupLabel,
  type HostPort,
  memberAddress,
  type RedisGroup,
  sentinelAddress,
} from './redis-url.ts';

/**
 * Creates the route to the master that sentinels name. They are asked again whenever the connection
 * to it is lost, or it says that it is a master no more.
 */
export function createSentinelRoute(group: RedisGroup, options: RedisLinkOptions): RedisRoute {
  const label = groupLabel(group);
  let asking: Asking<HostPort> | undefined;
  let master: RedisLink | undefined;
  let connecting: Promise<RedisLink> | undefined;
  let closes = 0;

  return {
    kind: 'redis-sentinel',
    label,
    get connected() {
      return master?.connected === true;
    },
    connect: async () => void (await connected()),
    session: (_key, work) => session(work),
    everywhere: session,
    close() {
      closes++;
      asking?.close();
      giveUp();
    },
  };

  async function session<Result>(work: (call: Call) => Promise<Result>): Promise<Result> {
    const link = await connected();
    try {
      return await link.session(work);
    } catch (error) {
      if (!link.connected || isMisplaced(error)) giveUp(link);
      throw error;
    }
  }

  function connected(): Promise<RedisLink> {
    if (master !== undefined && connecting === undefined) return Promise.resolve(master);
    connecting ??= open().finally(() => (connecting = undefined));
    return connecting;
  }

  async function open(): Promise<RedisLink> {
    const era = closes;
    const sentinels = group.seeds.map((place) => ({
      place,
      address: sentinelAddress(group, place),
    }));
    asking = askServers(sentinels, options, askForMaster);
    const place = await asking.first('no sentinel names a master');
    // What was begun before a close must not open anything behind it.
    if (era !== closes) throw new Error(`${label} was closed`);
    const link = createRedisLink({
      ...options,
      address: memberAddress(group, place),
      onLost(error) {
        if (master !== link) return;
        giveUp(link);
        options.onLost(`${addressOf(place)}: ${error}`);
      },
    });
    master = link; // so that close() finds it
    try {
      const [role] = (await link.call(['ROLE'])) as [string];
      // A sentinel that has slept through a failover names the old one.
      if (role !== 'master') throw new Error(`${addressOf(place)} is a ${role}, not the master`);
      return link;
    } catch (error) {
      giveUp(link);
      throw error;
    }
  }

  async function askForMaster(link: RedisLink, place: HostPort): Promise<HostPort> {
    const reply = await link.call(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', group.name]);
    if (!Array.isArray(reply)) {
      throw new Error(`the sentinel ${addressOf(place)} knows no master named ${group.name}`);
    }
    const [host, port] = reply as [string, string];
    return { host, port: Number(port) };
  }

  function giveUp(link = master): void {
    link?.close();
    if (master === link) master = undefined;
  }
}
