import { errorText } from '../errors.ts';
import { TOTAL_FIELD } from '../flush/layout.ts';
import { sideBySide } from '../flush/side-by-side.ts';
import type { RedisAccess } from './redis-access.ts';
import {
  ADD_MEMBERS,
  APPLY_CHUNK,
  markerKey,
  readTold,
  readFaults,
  readWrongType,
} from './redis-script.ts';
import {
  type Chunk,
  type ChunkOutcome,
  decimal,
  HashFault,
  plainDecimal,
  type Store,
} from './store.ts';
import { keySlot } from './redis-slot.ts';
import type { SetChunk, SetFault, SetFaults, SetStore } from './set-store.ts';

/** Markers are forgotten after 7 days: longer than any chunk is ever sent again. */
const MARKER_SECONDS = 7 * 24 * 3600;

/** So many calls of one step are under way at once. */
const CALLS_MAX = 32;

/**
 * Creates a store in Redis, version 5 or newer.
 *
 * @param instance names this process in the markers: unique, also among its own restarts. It need
 *   not be known before the first chunk.
 */
export function createRedisStore(access: RedisAccess, instance: () => string): Store & SetStore {
  return {
    kind: access.kind,
    label: access.label,
    get connected() {
      return access.connected;
    },
    get closed() {
      return access.closed;
    },
    connect: () => access.connect(),
    apply,
    async read(hash) {
      // Not hGetAll: it makes an object, and an object loses a field named __proto__.
      return pairsOf(await access.readHash(hash).catch(rethrow));
    },
    readField: (hash, field) => access.readField(hash, field).catch(rethrow),
    countFields: (hash) => access.countFields(hash).catch(rethrow),
    addMembers,
    countMembers: (key) => access.countUnique(key).catch(rethrow),
    close: () => access.close(),
  };

  async function apply(
    { hash, seq, parts, total }: Chunk,
    onChanged?: (part: number, value: number) => void,
  ): Promise<ChunkOutcome> {
    const args = [String(seq), String(MARKER_SECONDS), total ? TOTAL_FIELD : ''];
    for (const { field, amount, gauge } of parts) {
      // A sign tells a field from none: any text, also an empty one, can be a field.
      if (gauge === undefined) args.push(field === null ? '-' : `+${field}`, decimal(amount));
      else args.push(`${gauge === 'set' ? '=' : '~'}${field ?? ''}`, plainDecimal(amount));
    }
    const keys = [hash, markerKey(hash, instance())];
    const reply = String(await access.evaluate(APPLY_CHUNK, keys, args).catch(rethrow));
    const type = readWrongType(reply);
    if (type !== undefined) throw new HashFault(`WRONGTYPE ${hash} holds a ${type}, not a hash`);
    if (onChanged !== undefined) for (const told of readTold(reply)) onChanged(...told);
    return readFaults(reply);
  }

  async function addMembers(
    chunks: readonly SetChunk[],
    onCount?: (chunk: number, unique: number) => void,
  ): Promise<SetFaults> {
    const wish = onCount === undefined ? '' : 'count';
    const faults = new Map<number, SetFault>();
    const keys = chunks.map(({ key }) => key);
    await sideBySide(callsOf(access.kind, keys), { max: CALLS_MAX }, async (places) => {
      const added = places.map((at) => chunks[at]!);
      const lengths = added.flatMap((one) => [String(one.expireAt), String(one.members.length)]);
      const args = [wish, ...lengths, ...added.flatMap(({ members }) => members)];
      const addedTo = added.map(({ key }) => key);
      const reply = String(await access.evaluate(ADD_MEMBERS, addedTo, args));
      for (const [, place] of reply.matchAll(/ (\d+)(?![\d=])/g)) {
        faults.set(places[Number(place)]!, 'wrong_type');
      }
      for (const [place, unique] of readTold(reply)) onCount?.(places[place]!, unique);
    });
    return faults;
  }
}

/** Returns the places of keys that may be named in one call: in a cluster those of one slot. */
function callsOf(kind: RedisAccess['kind'], keys: readonly string[]): number[][] {
  const calls = new Map<number, number[]>();
  for (const [at, key] of keys.entries()) {
    const slot = kind === 'redis-cluster' ? keySlot(key) : 0;
    const call = calls.get(slot);
    if (call === undefined) calls.set(slot, [at]);
    else call.push(at);
  }
  return [...calls.values()];
}

/** Redis before 7 puts words in front of what a script's command has failed of. */
const WRONG_TYPE = /^(?:ERR Error running script .*)?(?:WRONGTYPE|INVALIDOBJ)/;

/** A hash of another type is its own fault: other hashes are well. */
function rethrow(error: unknown): never {
  const text = errorText(error);
  throw WRONG_TYPE.test(text) ? new HashFault(text, { cause: error }) : error;
}

/** Returns a flat list of fields and values as pairs. */
export function pairsOf(reply: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < reply.length; at += 2) pairs.push([reply[at]!, reply[at + 1]!]);
  return pairs;
}
