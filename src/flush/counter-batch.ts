import { type ChunkOutcome, fitsInt64 } from '../sinks/store.ts';
import type { CounterBatch, CounterBatchParts, Refusal } from './counter-batch-types.ts';
import type { CounterItem } from './counter-book.ts';
import type { LaidOut, PlacedChunk, PlacedPart, RestoreBatch } from './journal.ts';
import type { Lane, LaneChunk, LanePart, Share } from './lanes.ts';
import {
  createLanes,
  cutChunks,
  drop,
  hold,
  newShare,
  pendingAmounts,
  release,
  written,
} from './lanes.ts';
import { createSparing } from './sparing.ts';
import { countDropped, createTally } from './tally.ts';

/** So many names are laid out in one go: a few milliseconds. */
const NAMES_PER_TURN = 5000;

/** Creates a batch that is empty. */
export function createCounterBatch(parts: CounterBatchParts): CounterBatch {
  const { book, layout, journal, nowMs, log } = parts;
  const tally = createTally();
  const lanes = createLanes(parts.lanesMax, parts.newBackoff);
  const mayBeSaid = createSparing(nowMs, 1000);
  const refusing = new Map<string, Refusal>();
  let chunks: LaneChunk[] = [];
  let namesLeft = 0;
  let pendingSamples = 0;
  let fractionSamples = 0;
  const restore = createRestore();

  return {
    tally,
    lanes,
    refusing,
    get pendingSamples() {
      return pendingSamples;
    },
    get fractionSamples() {
      return fractionSamples;
    },
    get chunks() {
      return chunks;
    },
    get namesLeft() {
      return namesLeft;
    },
    begin,
    layOut: () => layOutNames(new Map(), []),
    first() {
      const { lane, seq, parts: chunkParts, total } = chunks[0]!;
      return { hash: lane.hash, seq, parts: chunkParts, total };
    },
    applied(faults) {
      const [chunk] = chunks;
      journal.applied(chunk!.lane.hash, chunk!.seq, faults);
      applied(chunk!, faults);
    },
    refused,
    finish() {
      if (fractionSamples > 0) journal.finished();
      finish();
      lanes.forgetIdle();
    },
    retryHeld() {
      for (const lane of lanes.all()) lane.retryAtMs = 0;
    },
    heldDueMs() {
      const due = Array.from(refusing.keys(), (hash) => lanes.of(hash).retryAtMs);
      return due.length === 0 ? undefined : Math.min(...due) - nowMs();
    },
    pendingAmounts: () => pendingAmounts(chunks, lanes.all()),
    restore,
  };

  function begin(): void {
    namesLeft = book.queued;
    const byLane = new Map<Lane, LanePart[]>();
    const released: string[] = [];
    const shares = new Map<string, Share>();
    for (const lane of lanes.all()) {
      if (lane.held.size === 0 || lane.retryAtMs > nowMs()) continue;
      released.push(lane.hash);
      byLane.set(lane, withinInt64(lane, release(lane, shares)));
    }
    layOutNames(byLane, released);
  }

  function layOutNames(byLane: Map<Lane, LanePart[]>, released: string[]): void {
    const items = book.cut(Math.min(namesLeft, NAMES_PER_TURN));
    namesLeft = Math.max(0, namesLeft - NAMES_PER_TURN);
    for (const item of items) {
      pendingSamples += item.samples;
      if (item.amount === 0 && !item.first) fractionSamples += item.samples;
      else if (fitsInt64(item.amount)) place(item, byLane);
      else dropped(item.name, 'overflow', item.samples);
    }
    const cut: LaneChunk[] = [];
    const held: LaidOut['held'][number][] = [];
    for (const [lane, laneParts] of byLane) {
      if (lane.held.size === 0) cut.push(...cutChunks(lane, layout.name === 'split', laneParts));
      else held.push(...laneParts.map((part) => ({ hash: lane.hash, part })));
    }
    if (items.length + released.length > 0) {
      journal.laidOut({ items, released, chunks: cut.map(placed), held, fractionSamples });
    }
    chunks.push(...cut);
    for (const { hash, part } of held) hold(lanes.of(hash), part as LanePart);
  }

  /** What was merged while it was held back may have grown too large. */
  function withinInt64(lane: Lane, held: LanePart[]): LanePart[] {
    return held.filter((part) => {
      const fits = fitsInt64(part.amount);
      if (!fits) dropped(`${lane.hash} ${part.share.name}`, 'overflow', drop(part));
      return fits;
    });
  }

  function place({ name, amount, samples }: CounterItem, byLane: Map<Lane, LanePart[]>): void {
    const places = layout.place(name);
    const share = newShare(name, samples);
    share.open = places.length;
    for (const { hash, field } of places) {
      const lane = lanes.of(hash);
      const laneParts = byLane.get(lane);
      const part = { field, amount, share };
      if (laneParts === undefined) byLane.set(lane, [part]);
      else laneParts.push(part);
    }
  }

  function applied(chunk: LaneChunk, faults: ChunkOutcome): void {
    const { lane } = chunk;
    chunks = chunks.filter((one) => one !== chunk);
    for (const [index, part] of chunk.parts.entries()) {
      const fault = faults.get(index);
      if (fault === undefined) delivered(part);
      else dropped(`${lane.hash} ${part.share.name}`, fault, drop(part));
    }
    if (refusing.delete(lane.hash)) log('info', `${lane.hash} takes counters again`);
    lane.backoff.reset();
  }

  function refused(reason: string): void {
    const { lane, seq } = chunks[0]!;
    journal.refused(lane.hash, seq);
    holdBack(lane);
    // The store has put this number out of use; those behind it were never seen.
    lane.seq = seq;
    lane.retryAtMs = nowMs() + lane.backoff.nextMs();
    if (refusing.has(lane.hash)) return;
    refusing.set(lane.hash, { reason, sinceMs: nowMs() });
    log('warn', `${lane.hash} refuses counters: ${reason}; they are kept until it takes them`);
  }

  /** The rest of a hash's part waits for it. */
  function holdBack(lane: Lane): void {
    for (const chunk of chunks) {
      if (chunk.lane === lane) for (const part of chunk.parts) hold(lane, part);
    }
    chunks = chunks.filter((chunk) => chunk.lane !== lane);
  }

  /** Accounts for a part that was written, unless another hash still holds this name back. */
  function delivered(part: LanePart): void {
    const samples = written(part);
    if (samples === 0) return;
    const { name } = part.share;
    if (refusing.size > 0) {
      for (const { hash } of layout.place(name)) {
        const held = lanes.of(hash).held.get(name);
        if (held === undefined) continue;
        held.samples += samples;
        return;
      }
    }
    tally.delivered += samples;
    pendingSamples -= samples;
  }

  function dropped(what: string, reason: string, samples: number): void {
    countDropped(tally, reason, samples);
    pendingSamples -= samples;
    // A field that cannot be written comes again with each flush: once a second will do.
    if (!mayBeSaid(reason)) return;
    log('warn', `${JSON.stringify(what)}: ${samples} counter samples dropped: ${reason}`);
  }

  function finish(): void {
    tally.delivered += fractionSamples;
    pendingSamples -= fractionSamples;
    fractionSamples = 0;
  }

  function createRestore(): RestoreBatch {
    // By the number that the journal knows a share by.
    const shares = new Map<number, Share>();
    const part = ({ field, amount, share: { id, name, samples } }: PlacedPart): LanePart => {
      const share = shares.get(id) ?? newShare(name, samples);
      if (!shares.has(id)) pendingSamples += samples;
      shares.set(id, share);
      share.open++;
      return { field, amount, share };
    };
    const chunkOf = (hash: string, seq: number): LaneChunk | undefined => {
      return chunks.find((one) => one.lane.hash === hash && one.seq === seq);
    };
    return {
      lane: (hash, seq) => void (lanes.of(hash).seq = seq),
      chunk({ hash, seq, total, parts: placedParts }) {
        const lane = lanes.of(hash);
        lane.seq = seq;
        chunks.push({ lane, seq, total, parts: placedParts.map(part) });
      },
      held(hash, one) {
        hold(lanes.of(hash), part(one));
        refusing.set(hash, { reason: 'it did before the restart', sinceMs: nowMs() });
      },
      released(hash) {
        for (const { samples } of lanes.of(hash).held.values()) pendingSamples -= samples;
        lanes.of(hash).held.clear();
      },
      applied(hash, seq, faults) {
        const chunk = chunkOf(hash, seq);
        if (chunk !== undefined) applied(chunk, faults);
      },
      refused(hash) {
        const lane = lanes.of(hash);
        lane.seq = chunks.find((one) => one.lane === lane)?.seq ?? lane.seq;
        holdBack(lane);
        refusing.set(hash, { reason: 'it did before the restart', sinceMs: nowMs() });
      },
      fractions(samples) {
        pendingSamples += samples - fractionSamples;
        fractionSamples = samples;
      },
      finished() {
        finish();
        shares.clear();
      },
      dropped(hash, seq, reason) {
        const chunk = chunkOf(hash, seq);
        if (chunk === undefined) return;
        chunks = chunks.filter((one) => one !== chunk);
        for (const one of chunk.parts) dropped(`${hash} ${one.share.name}`, reason, drop(one));
      },
    };
  }
}

function placed({ lane, seq, total, parts }: LaneChunk): PlacedChunk {
  return { hash: lane.hash, seq, total, parts };
}
