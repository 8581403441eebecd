import type { ChunkPart } from '../sinks/store.ts';
import type { Backoff } from './backoff.ts';

/** A name's share of a batch, on its way to every hash it is counted in. */
export interface Share {
  /** Tells it from all others of this process. */
  readonly id: number;
  readonly name: string;
  readonly isGauge: boolean;
  /** Grows only while the batch is laid out. */
  samples: number;
  /** In how many hashes it is still to be written. */
  open: number;
  /** Who answers for its samples: itself, a part that a hash holds back, or they are dropped. */
  fate: 'own' | 'dropped' | Held;
}

/** What one hash could not take of a name, merged over batches. */
export interface Held {
  readonly name: string;
  readonly field: string | null;
  amount: number;
  /** See `ChunkPart.gauge`. */
  gauge: ChunkPart['gauge'];
  /** Samples it answers for; 0 if another hash's held part does. */
  samples: number;
}

/** One hash: the numbering of its chunks, and what it holds back. */
export interface Lane {
  readonly hash: string;
  /** The number of the last chunk cut. */
  seq: number;
  /** By {@link heldKey}. Not empty only while the hash refuses, being of another type. */
  readonly held: Map<string, Held>;
  readonly backoff: Backoff;
  /** It is not tried before this time. */
  retryAtMs: number;
}

/** A part of a chunk that knows whose share it is. */
export interface LanePart extends ChunkPart {
  readonly share: Share;
}

/** Parts for one hash, under the number that they keep until they are applied or refused. */
export interface LaneChunk {
  readonly lane: Lane;
  readonly seq: number;
  /** See `Chunk.total`. */
  readonly total: boolean;
  readonly parts: readonly LanePart[];
}

/** The lanes of all hashes written to. */
export interface Lanes {
  /** Returns the lane of a hash, made if it is new. */
  of(hash: string): Lane;
  all(): Iterable<Lane>;
  /** The hashes, in the order of their first chunk. */
  hashes(): string[];
  /** Forgets the longest idle ones, if there are too many. */
  forgetIdle(): void;
  /** New lanes are numbered from here. */
  readonly seqFloor: number;
  /** Numbers new lanes from there, as another process did. */
  startAbove(floor: number): void;
}

/**
 * Creates the lanes of no hash yet.
 *
 * @param lanesMax how many are remembered while they are idle.
 */
export function createLanes(lanesMax: number, newBackoff: () => Backoff): Lanes {
  const lanes = new Map<string, Lane>();
  // New lanes are numbered from here, above all that were forgotten: their numbers must not come
  // again, or a marker would take new chunks for old ones.
  let seqFloor = 0;
  return {
    of(hash) {
      let lane = lanes.get(hash);
      if (lane === undefined) {
        lane = { hash, seq: seqFloor, held: new Map(), backoff: newBackoff(), retryAtMs: 0 };
        lanes.set(hash, lane);
      }
      return lane;
    },
    get seqFloor() {
      return seqFloor;
    },
    startAbove(floor) {
      seqFloor = floor;
    },
    all: () => lanes.values(),
    hashes: () => [...lanes.keys()],
    forgetIdle() {
      for (const [hash, { held, seq }] of lanes) {
        if (lanes.size <= lanesMax) return;
        if (held.size > 0) continue;
        seqFloor = Math.max(seqFloor, seq);
        lanes.delete(hash);
      }
    },
  };
}

/** At most this many fields in one call: about 0.7 ms of Redis' time. */
export const CHUNK_PARTS_MAX = 1000;

/** Cuts the parts of one hash into chunks, in order, and gives them numbers. */
export function cutChunks(lane: Lane, total: boolean, parts: readonly LanePart[]): LaneChunk[] {
  const chunks: LaneChunk[] = [];
  for (let at = 0; at < parts.length; at += CHUNK_PARTS_MAX) {
    chunks.push({ lane, seq: ++lane.seq, total, parts: parts.slice(at, at + CHUNK_PARTS_MAX) });
  }
  return chunks;
}

let shareCount = 0;

/** Returns the share of a name that is in no hash yet. */
export function newShare(name: string, samples: number, isGauge = false): Share {
  return { id: ++shareCount, name, isGauge, samples, open: 0, fate: 'own' };
}

/** Returns what a share is held back under: a name may be a counter's and a gauge's. */
export function heldKey({ name, isGauge }: Pick<Share, 'name' | 'isGauge'>): string {
  return isGauge ? `\0${name}` : name;
}

/** A part was written; returns the samples that are thereby delivered everywhere. */
export function written({ share }: LanePart): number {
  share.open--;
  return share.open === 0 && share.fate === 'own' ? share.samples : 0;
}

/**
 * A part's hash refuses: keeps it, merged with what was kept of the name before. What sets a gauge
 * replaces that.
 */
export function hold(lane: Lane, { share, field, amount, gauge }: LanePart): void {
  share.open--;
  const { name } = share;
  const held = lane.held.get(heldKey(share)) ?? { name, field, amount: 0, gauge, samples: 0 };
  lane.held.set(heldKey(share), held);
  held.amount = gauge === 'set' ? amount : held.amount + amount;
  if (gauge === 'set') held.gauge = gauge;
  if (share.fate !== 'own') return;
  held.samples += share.samples;
  share.fate = held;
}

/**
 * A part cannot be written at all; returns the samples that are thereby lost. They count as
 * dropped wherever else they were written: somewhere they are missing.
 */
export function drop({ share }: LanePart): number {
  share.open--;
  if (share.fate === 'dropped') return 0;
  if (share.fate !== 'own') share.fate.samples -= share.samples;
  share.fate = 'dropped';
  return share.samples;
}

/**
 * Takes what a hash held back, as parts to be tried again.
 *
 * @param shares of the names released in this batch, by {@link heldKey}: a name that several hashes
 *   have held back is one share, which is delivered when all of them have taken it.
 */
export function release(lane: Lane, shares: Map<string, Share>): LanePart[] {
  const parts = Array.from(lane.held, ([key, { name, samples, ...held }]): LanePart => {
    const share = shares.get(key) ?? newShare(name, 0, held.gauge !== undefined);
    shares.set(key, share);
    share.open++;
    share.samples += samples;
    return { ...partOf(held), share };
  });
  lane.held.clear();
  return parts;
}

/** Returns a part of a chunk: a counter's says nothing of gauges. */
export function partOf({ field, amount, gauge }: ChunkPart): ChunkPart {
  return gauge === undefined ? { field, amount } : { field, amount, gauge };
}

/**
 * Returns, by name, what the hash that lacks most of a counter lacks: held back, or in flight.
 */
export function pendingAmounts(
  batch: readonly LaneChunk[],
  lanes: Iterable<Lane>,
): Map<string, number> {
  const ofLane = new Map<Lane, Map<string, number>>();
  for (const lane of lanes) {
    if (lane.held.size === 0) continue;
    const held = [...lane.held.values()].filter(({ gauge }) => gauge === undefined);
    ofLane.set(lane, new Map(held.map(({ name, amount }) => [name, amount])));
  }
  for (const { lane, parts } of batch) {
    const amounts = ofLane.get(lane) ?? new Map<string, number>();
    ofLane.set(lane, amounts);
    for (const { share, amount } of parts) {
      if (share.isGauge) continue;
      amounts.set(share.name, (amounts.get(share.name) ?? 0) + amount);
    }
  }
  const most = new Map<string, number>();
  for (const [name, amount] of [...ofLane.values()].flatMap((amounts) => [...amounts])) {
    if (Math.abs(amount) >= Math.abs(most.get(name) ?? 0)) most.set(name, amount);
  }
  return most;
}
