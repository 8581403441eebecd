import type { Time } from '../flush/time.ts';
import type { Options } from '../option-types.ts';
import { createMemoryStore } from './memory.ts';
import { createRedisStore } from './redis.ts';
import { createOwnAccess } from './redis-access.ts';
import { REDIS_TIMEOUT_MS } from './redis-link.ts';
import type { SetStore } from './set-store.ts';
import type { Store } from './store.ts';

/**
 * Creates the store that a collector's options ask for.
 *
 * @param instance as `createRedisStore` takes it.
 */
export function openStore(
  { redis: url, redisWait: replicas }: Pick<Options, 'redis' | 'redisWait'>,
  instance: () => string,
  parts: { time: Time; onLost: (error: string) => void },
): Store & SetStore {
  if (url === undefined) return createMemoryStore();
  const timeoutMs = REDIS_TIMEOUT_MS;
  const access = createOwnAccess({ address: { url }, timeoutMs, replicas, ...parts });
  return createRedisStore(access, instance);
}
