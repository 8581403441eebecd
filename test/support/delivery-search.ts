// Tries the steps of `delivery-model.ts` in every order there is, breadth first, so that the first
// fault found has the shortest trace.
import { STEPS } from './delivery-model.ts';
import type { Bounds, Change, Chunk, Process, Spool, State } from './delivery-states.ts';
import {
  CHUNK_IS,
  describeState,
  faultOf,
  firstState,
  isDelivered,
  READER_STEPS,
  STAGES,
} from './delivery-states.ts';

/** What a search has found. */
export interface Found {
  /** How many states can be reached, as far as was looked. */
  states: number;
  transitions: number;
  /** How many of them nothing follows: all is delivered there, and there are no samples left. */
  ends: number;
  /** The most chunks that Redis has dealt with in one of them. */
  chunksAnswered: number;
  /** The fault with the shortest trace, if there is any: the search ends with it. */
  fault?: { what: string; steps: string[]; state: string };
}

/** States that one step may lead to: which request, which reply. */
const ALTERNATIVES_MAX = 4;

/**
 * Looks at every state within the bounds: that none has a fault, that none is a dead end before all
 * is delivered, and that a way leads from each to where all is, without help from outside.
 */
export function search(bounds: Bounds, wrong?: Change): Found {
  const first = firstState(bounds);
  const indexes = new Map<string, number>([[keyOf(first), 0]]);
  // By state: those before it, and by which step it was first reached.
  const parents = [-1];
  const moves = [-1];
  const ways: [from: number[], to: number[]] = [[], []];
  const delivered: number[] = [];
  const found: Found = { states: 1, transitions: 0, ends: 0, chunksAnswered: 0 };
  let layer: State[] = [first];
  for (let base = 0; layer.length > 0 && found.fault === undefined;) {
    const nextLayer: State[] = [];
    for (const [at, state] of layer.entries()) {
      look(state, base + at, nextLayer);
      if (found.fault !== undefined) break;
    }
    base += layer.length;
    layer = nextLayer;
  }
  if (found.fault === undefined) checkWays();
  return found;

  function look(state: State, index: number, nextLayer: State[]): void {
    const what = faultOf(state, wrong);
    if (what !== undefined) return tell(what, index);
    found.chunksAnswered = Math.max(found.chunksAnswered, state.redis.marker);
    if (isDelivered(state)) delivered.push(index);
    let isEnd = true;
    for (const [number, [, take, from]] of STEPS.entries()) {
      for (const [which, next] of take(state, wrong).entries()) {
        found.transitions++;
        const to = indexOf(next, index, number * ALTERNATIVES_MAX + which, nextLayer);
        if (to === index) continue;
        isEnd = false;
        if (from === 'outside') continue;
        ways[0].push(index);
        ways[1].push(to);
      }
    }
    if (!isEnd) return;
    found.ends++;
    if (!isDelivered(state) || state.samplesLeft > 0) tell('a dead end', index);
  }

  function indexOf(state: State, parent: number, move: number, nextLayer: State[]): number {
    const key = keyOf(state);
    const known = indexes.get(key);
    if (known !== undefined) return known;
    const index = found.states++;
    indexes.set(key, index);
    parents.push(parent);
    moves.push(move);
    nextLayer.push(state);
    return index;
  }

  /** From the delivered states backwards: whatever is not met on the way cannot get there. */
  function checkWays(): void {
    const { heads, sources } = backwards(ways, found.states);
    const reaches = new Uint8Array(found.states);
    const open = [...delivered];
    for (const index of open) reaches[index] = 1;
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      for (let at = heads[index]!; at < heads[index + 1]!; at++) {
        const source = sources[at]!;
        if (reaches[source] === 1) continue;
        reaches[source] = 1;
        open.push(source);
      }
    }
    const stuck = reaches.indexOf(0);
    if (stuck >= 0) tell('what was accepted cannot arrive any more', stuck);
  }

  /** Goes the way to a state once more, from the first, and writes it down. */
  function tell(what: string, index: number): void {
    const way: number[] = [];
    for (let at = index; at > 0; at = parents[at]!) way.unshift(moves[at]!);
    let state = first;
    const steps = way.map((move) => {
      const [says, take] = STEPS[Math.floor(move / ALTERNATIVES_MAX)]!;
      state = take(state, wrong)[move % ALTERNATIVES_MAX]!;
      return says;
    });
    found.fault = { what, steps, state: describeState(state) };
  }
}

/** Sorts ways by where they lead: those to a state come from `sources` between two `heads`. */
function backwards(
  [from, to]: readonly [number[], number[]],
  states: number,
): { heads: Int32Array; sources: Int32Array } {
  const heads = new Int32Array(states + 2);
  for (const target of to) heads[target + 2]!++;
  for (let at = 2; at < heads.length; at++) heads[at]! += heads[at - 1]!;
  const sources = new Int32Array(from.length);
  for (const [at, target] of to.entries()) sources[heads[target + 1]!++] = from[at]!;
  return { heads, sources };
}

/**
 * Returns a string that equal states have in common, and no others: a character per number, lists
 * with their length in front. Of requests and replies it does not matter which is named first.
 */
function keyOf({ process, ledger, spool, redis, requests, ...state }: State): string {
  const codes = [state.samplesLeft, state.killsLeft, state.refusalsLeft, state.accepted];
  codes.push(redis.value, redis.marker, Number(redis.isRefusal));
  if (ledger === null) codes.push(0);
  else codes.push(1, ledger[0].flip, ledger[0].count, ledger[1].flip, ledger[1].count);
  pushSpool(codes, spool);
  codes.push(requests.length);
  const isSorted = requests.length < 2 || isInOrder(requests[0]!, requests[1]!);
  for (const request of isSorted ? requests : requests.toReversed()) pushChunk(codes, request);
  if (process !== null) pushProcess(codes, process);
  return String.fromCharCode(...codes);
}

function isInOrder(one: Chunk, other: Chunk): boolean {
  return one.number < other.number || (one.number === other.number && one.amount <= other.amount);
}

function pushChunk(codes: number[], chunk: Chunk | null): void {
  codes.push(chunk?.number ?? 0, chunk?.amount ?? 0);
}

function pushSpool(codes: number[], { book, number, chunk, flip }: Spool): void {
  codes.push(book, number, flip);
  pushChunk(codes, chunk);
}

function pushProcess(codes: number[], process: Process): void {
  const { stage, reader, writing, found, book, number, chunk, chunkIs, replies, draft } = process;
  codes.push(STAGES.indexOf(stage), READER_STEPS.indexOf(reader), CHUNK_IS.indexOf(chunkIs));
  codes.push(writing, found, book, number, replies.length);
  const answers = replies.map(({ number: of, isRefusal }) => 2 * of + Number(isRefusal));
  codes.push(...answers.toSorted((a, b) => a - b));
  pushChunk(codes, chunk);
  if (draft !== null) pushSpool(codes, draft);
}
