/** A name, and how busy it has been; the busiest are kept for longer. */
export interface Ranked {
  readonly name: string;
  /** The long history's own number: others leave it alone. */
  score: number;
}

/** One of the busiest names, and what is kept of it. */
export interface Member<Kept> extends Ranked {
  readonly kept: Kept;
  /** The spans that begin before this second are in `kept`. */
  builtTo: number;
}

/** Where the names come from, and what is to be kept of them. */
export interface BusiestSource<Kept> {
  all(): Iterable<Ranked>;
  /** How many samples, or what sum of increments, there were from one second to another. */
  amount(name: string, from: number, to: number): number;
  /** The first second of which all is known. */
  oldestSecond(): number;
  create(): Kept;
  /** Adds the span that begins at a second to what is kept. */
  append(name: string, kept: Kept, second: number): void;
  /** Forgets the spans that begin before a second; false where nothing is left. */
  dropBefore(kept: Kept, second: number): boolean;
  /** It is not among the busiest any more. */
  release(kept: Kept): void;
}

/** The busiest names of a kind. */
export interface Busiest<Kept> {
  readonly members: ReadonlyMap<string, Member<Kept>>;
  /** Goes on to the spans that are over with a second, where there are new ones; yields often. */
  advance(complete: number): Iterable<void>;
  /** Forgets a name and what is kept of it, if it is one of them. */
  forget(name: string): void;
  /** The first second from `second` on where a span begins of which all is known. */
  firstSpan(second: number): number;
}

/** What is kept is kept in spans of this many seconds, which begin at a multiple of them. */
export const SPAN_SECONDS = 30;
/** How far back what is kept reaches. */
const KEPT_SECONDS = 2 * 3600;
/** A score is the sum of what was in each span, each span before counting so much less. */
const DECAY = 0.9;
/** Of two that are about as busy the one stays that is there: the other has no past. */
const MEMBERS_FAVOUR = 1.1;
/** One absurd weight must not make a name the busiest for days. */
const AMOUNT_MAX = 2 ** 53;

/** Creates an empty set of at most `limit` names. */
export function createBusiest<Kept>(source: BusiestSource<Kept>, limit: number): Busiest<Kept> {
  const members = new Map<string, Member<Kept>>();
  let rankedTo = 0;

  return { members, advance, forget: remove, firstSpan };

  function* advance(complete: number): Generator<void> {
    const next = complete + 1;
    const end = next - (next % SPAN_SECONDS);
    if (end <= rankedTo) return;
    const best: Ranked[] = [];
    const from = firstSpan(rankedTo);
    rankedTo = end;
    for (const one of members.values()) {
      rank(one, from, end);
      putAmong(best, { name: one.name, score: one.score * MEMBERS_FAVOUR }, limit);
      yield;
    }
    for (const one of source.all()) {
      const member = members.get(one.name);
      if (member !== undefined) one.score = member.score;
      else {
        rank(one, from, end);
        if (one.score > 0) putAmong(best, one, limit);
      }
      yield;
    }
    const names = new Map(best.map((one) => [one.name, one]));
    for (const { name } of members.values()) if (!names.has(name)) remove(name);
    for (const one of best) {
      build(members.get(one.name) ?? enter(one), end);
      yield;
    }
  }

  function rank(one: Ranked, from: number, end: number): void {
    for (let begin = from; begin < end; begin += SPAN_SECONDS) {
      const amount = source.amount(one.name, begin, begin + SPAN_SECONDS - 1);
      one.score = one.score * DECAY + Math.min(AMOUNT_MAX, amount);
    }
  }

  function enter({ name, score }: Ranked): Member<Kept> {
    const member = { name, score, kept: source.create(), builtTo: 0 };
    members.set(name, member);
    return member;
  }

  function remove(name: string): void {
    const member = members.get(name);
    if (member !== undefined) source.release(member.kept);
    members.delete(name);
  }

  /** One that has just come in gets what is still known of it. */
  function build(member: Member<Kept>, end: number): void {
    const { name, kept } = member;
    for (let begin = firstSpan(member.builtTo); begin < end; begin += SPAN_SECONDS) {
      source.append(name, kept, begin);
    }
    member.builtTo = end;
    if (!source.dropBefore(kept, end - KEPT_SECONDS)) remove(name);
  }

  function firstSpan(second: number): number {
    const from = Math.max(second, source.oldestSecond());
    return Math.ceil(from / SPAN_SECONDS) * SPAN_SECONDS;
  }
}

/** Puts one among the best, highest first, if it is better than the last of them or there is room. */
function putAmong(best: Ranked[], one: Ranked, limit: number): void {
  if (best.length >= limit && one.score <= best[limit - 1]!.score) return;
  let low = 0;
  let high = best.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    // Behind its equals: who came first stays.
    if (best[middle]!.score >= one.score) low = middle + 1;
    else high = middle;
  }
  best.splice(low, 0, one);
  if (best.length > limit) best.pop();
}
