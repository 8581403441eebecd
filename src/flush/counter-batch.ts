import { type ChunkOutcome, fitsInt64 } from '../sinks/store.ts';
import type { CounterBatch, CounterBatchParts, Refusal } from './counter-batch-types.ts';
import { createDropLog } from './drop-log.ts';
import { createGaugeBook } from './gauge-book.ts';
import type { LaidOut, PlacedChunk, PlacedPart, RestoreBatch } from './journal.ts';
import type { Lane, LaneChunk, LanePart, Share } from './lanes.ts';
import type { Place } from './layout.ts';
import {
  createLanes,
  cutChunks,
  drop,
  heldKey,
  hold,
  newShare,
  partOf,
  pendingAmounts,
  release,
  written,
} from './lanes.ts';
import { type Account, countDropped, createAccount } from './tally.ts';

/** So many names are laid out in one go: a few milliseconds. */
const NAMES_PER_TURN = 5000;

/** Creates a batch that is empty. */
export function createCounterBatch(parts: CounterBatchParts): CounterBatch {
  const { book, layout, journal, nowMs, log } = parts;
  const gauges = parts.gauges ?? createGaugeBook();
  const ofCounters = createAccount('counter samples');
  const ofGauges = createAccount('gauge samples');
  const lanes = createLanes(parts.lanesMax, parts.newBackoff);
  const dropLog = createDropLog(nowMs, log);
  const refusing = new Map<string, Refusal>();
  let chunks: LaneChunk[] = [];
  let countersLeft = 0;
  let gaugesLeft = 0;
  let fractionSamples = 0;
  const restore = createRestore();

  return {
    tally: ofCounters.tally,
    gaugeTally: ofGauges.tally,
    lanes,
    refusing,
    get pendingSamples() {
      return ofCounters.pending;
    },
    get pendingGaugeSamples() {
      return ofGauges.pending;
    },
    get fractionSamples() {
      return fractionSamples;
    },
    get chunks() {
      return chunks;
    },
    get namesLeft() {
      return countersLeft + gaugesLeft;
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
      let due = Infinity;
      for (const hash of refusing.keys()) due = Math.min(due, lanes.of(hash).retryAtMs);
      return due === Infinity ? undefined : due - nowMs();
    },
    pendingAmounts: () => pendingAmounts(chunks, lanes.all()),
    sayDropped: (isLast) => dropLog.say(isLast),
    restore,
  };

  function begin(): void {
    countersLeft = book.queued;
    gaugesLeft = gauges.queued;
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
    const counterCount = Math.min(countersLeft, NAMES_PER_TURN);
    const gaugeCount = Math.min(gaugesLeft, NAMES_PER_TURN - counterCount);
    countersLeft -= counterCount;
    gaugesLeft -= gaugeCount;
    const items = book.cut(counterCount);
    for (const { name, amount, samples, first } of items) {
      ofCounters.pending += samples;
      if (amount === 0 && !first) fractionSamples += samples;
      else if (fitsInt64(amount)) place(newShare(name, samples), { amount }, byLane);
      else dropped(ofCounters, name, 'overflow', samples);
    }
    const gaugeItems = gauges.cut(gaugeCount);
    for (const { name, value, absolute, samples } of gaugeItems) {
      ofGauges.pending += samples;
      const part = { amount: value, gauge: absolute ? 'set' : 'change' } as const;
      place(newShare(name, samples, true), part, byLane);
    }
    const cut: LaneChunk[] = [];
    const held: LaidOut['held'][number][] = [];
    for (const [lane, laneParts] of byLane) {
      if (lane.held.size === 0) cut.push(...cutChunks(lane, layout.name === 'split', laneParts));
      else for (const part of laneParts) held.push({ hash: lane.hash, part });
    }
    if (items.length + gaugeItems.length + released.length > 0) {
      const counted = { items, gauges: gaugeItems, fractionSamples };
      journal.laidOut({ ...counted, released, chunks: cut.map(placed), held });
    }
    for (const chunk of cut) chunks.push(chunk);
    for (const { hash, part } of held) hold(lanes.of(hash), part as LanePart);
  }

  /** What was merged while it was held back may have grown too large. */
  function withinInt64(lane: Lane, held: LanePart[]): LanePart[] {
    return held.filter((part) => {
      const { amount, gauge, share } = part;
      const fits = gauge === undefined ? fitsInt64(amount) : Number.isFinite(amount);
      if (!fits) dropped(accountOf(share), `${lane.hash} ${share.name}`, 'overflow', drop(part));
      return fits;
    });
  }

  function place(
    share: Share,
    what: Pick<LanePart, 'amount' | 'gauge'>,
    byLane: Map<Lane, LanePart[]>,
  ): void {
    const places = placesOf(share);
    share.open = places.length;
    for (const { hash, field } of places) {
      const lane = lanes.of(hash);
      const laneParts = byLane.get(lane);
      const part = { field, ...what, share };
      if (laneParts === undefined) byLane.set(lane, [part]);
      else laneParts.push(part);
    }
  }

  function placesOf({ name, isGauge }: Share): Place[] {
    return isGauge ? layout.placeGauge(name) : layout.place(name);
  }

  function accountOf({ isGauge }: Share): Account {
    return isGauge ? ofGauges : ofCounters;
  }

  function applied(chunk: LaneChunk, faults: ChunkOutcome): void {
    const { lane } = chunk;
    chunks = chunks.filter((one) => one !== chunk);
    for (const [index, part] of chunk.parts.entries()) {
      const fault = faults.get(index);
      if (fault === undefined) delivered(part);
      else dropped(accountOf(part.share), `${lane.hash} ${part.share.name}`, fault, drop(part));
    }
    if (refusing.delete(lane.hash)) log('info', `${lane.hash} takes ${whatOf(lane.hash)} again`);
    lane.backoff.reset();
    dropLog.say();
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
    const what = whatOf(lane.hash);
    log('warn', `${lane.hash} refuses ${what}: ${reason}; they are kept until it takes them`);
  }

  function whatOf(hash: string): string {
    return layout.gaugeHashes.includes(hash) ? 'gauges' : 'counters';
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
    const account = accountOf(part.share);
    if (refusing.size > 0) {
      for (const { hash } of placesOf(part.share)) {
        const held = lanes.of(hash).held.get(heldKey(part.share));
        if (held === undefined) continue;
        held.samples += samples;
        return;
      }
    }
    account.tally.delivered += samples;
    account.pending -= samples;
  }

  function dropped(account: Account, where: string, reason: string, samples: number): void {
    countDropped(account.tally, reason, samples);
    account.pending -= samples;
    dropLog.add(account.what, where, reason, samples);
  }

  function finish(): void {
    ofCounters.tally.delivered += fractionSamples;
    ofCounters.pending -= fractionSamples;
    fractionSamples = 0;
    dropLog.say();
  }

  function createRestore(): RestoreBatch {
    // By the number that the journal knows a share by.
    const shares = new Map<number, Share>();
    const part = ({ field, amount, gauge, share: { id, name, samples } }: PlacedPart): LanePart => {
      const share = shares.get(id) ?? newShare(name, samples, gauge !== undefined);
      if (!shares.has(id)) accountOf(share).pending += samples;
      shares.set(id, share);
      share.open++;
      return { ...partOf({ field, amount, gauge }), share };
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
        for (const { samples, gauge } of lanes.of(hash).held.values()) {
          (gauge === undefined ? ofCounters : ofGauges).pending -= samples;
        }
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
        ofCounters.pending += samples - fractionSamples;
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
        for (const one of chunk.parts) {
          dropped(accountOf(one.share), `${hash} ${one.share.name}`, reason, drop(one));
        }
      },
    };
  }
}

function placed({ lane, seq, total, parts }: LaneChunk): PlacedChunk {
  return { hash: lane.hash, seq, total, parts };
}
