import { errorText } from '../errors.ts';
import { TOTAL_FIELD } from '../flush/layout.ts';
import { createRedisLink } from './redis-link.ts';
import { APPLY_CHUNK, markerKey, readFaults } from './redis-script.ts';
import { type Chunk, type ChunkOutcome, decimal, HashFault, type Store } from './store.ts';

/** What a Redis store is made with. */
export interface RedisOptions {
  /** `redis://` or `rediss://`, with user, password and database as usual. */
  url: string;
  /** Names this process in the markers: unique, also among its own restarts. */
  instance: string;
  /** How long a connection and a reply are awaited. */
  timeoutMs: number;
  /** Called when the connection that chunks are sent over goes away between two of them. */
  onLost: (error: string) => void;
}

/** Markers are forgotten after 7 days: longer than any chunk is ever sent again. */
const MARKER_SECONDS = 7 * 24 * 3600;
/** The longest honest reply, a thousand refused fields, takes 8 kB. */
const APPLY_REPLY_BYTES_MAX = 1 << 20;
/** A million fields of a hundred bytes and more. */
const READ_REPLY_BYTES_MAX = 256 << 20;

/**
 * Creates a store in Redis, version 5 or newer.
 *
 * Chunks and reads have a connection each, so that the reading of a large hash never keeps a chunk
 * waiting past its time.
 */
export function createRedisStore({ url, instance, timeoutMs, onLost }: RedisOptions): Store {
  const chunks = createRedisLink({
    url,
    timeoutMs,
    replyBytesMax: APPLY_REPLY_BYTES_MAX,
    onLost,
  });
  const reads = createRedisLink({
    url,
    timeoutMs,
    replyBytesMax: READ_REPLY_BYTES_MAX,
    onLost: () => {},
  });

  return {
    kind: 'redis',
    label: `redis ${new URL(url).host}`,
    get connected() {
      return chunks.connected;
    },
    connect: () => chunks.connect(),
    apply,
    read,
    close() {
      chunks.close();
      reads.close();
    },
  };

  async function apply({ hash, seq, parts, total }: Chunk): Promise<ChunkOutcome> {
    const args = ['EVAL', APPLY_CHUNK, '2', hash, markerKey(hash, instance)];
    args.push(String(seq), String(MARKER_SECONDS), total ? TOTAL_FIELD : '');
    for (const { field, amount } of parts) {
      // A sign tells a field from none: any text, also an empty one, can be a field.
      args.push(field === null ? '-' : `+${field}`, decimal(amount));
    }
    try {
      const reply = await chunks.call(args);
      return readFaults(String(reply));
    } catch (error) {
      const text = errorText(error);
      throw text.startsWith('WRONGTYPE') ? new HashFault(text, { cause: error }) : error;
    }
  }

  async function read(hash: string): Promise<[string, string][]> {
    // Not hGetAll: it makes an object, and an object loses a field named __proto__.
    const reply = await reads.call(['HGETALL', hash]).catch((error: unknown) => {
      // Of another type: it holds no counters, and is no reason not to show those of other hashes.
      if (errorText(error).startsWith('WRONGTYPE')) return [];
      throw error;
    });
    return pairsOf(reply as string[]);
  }
}

/** Returns a flat list of fields and values as pairs. */
export function pairsOf(reply: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < reply.length; at += 2) pairs.push([reply[at]!, reply[at + 1]!]);
  return pairs;
}
