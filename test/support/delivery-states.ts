// What there is in the model of a counter's way to Redis, and what must hold in each of its states.
// The steps from one state to the next are in `delivery-model.ts`.

/** Amounts of two names in one number: those of `a`, and 16 times those of `b`. */
export type Amount = number;
/** One sample of each name. */
export const SAMPLES = { a: 1, b: 16 } as const;
/** Of no name anything. */
export const NOTHING: Amount = 0;

/** One side of the ledger's file. */
export interface Side {
  /** The flip since which it is written; 0 once it is cleared. */
  readonly flip: number;
  readonly count: Amount;
}
/** A side that the writer may turn to. */
export const CLEARED: Side = { flip: 0, count: NOTHING };

/** What is sent to Redis: it keeps number and amount until it is answered. */
export interface Chunk {
  readonly number: number;
  readonly amount: Amount;
}

/** What Redis answers to the chunk of this number. */
export interface Reply {
  readonly number: number;
  /** Nothing was applied, and the number is used up. */
  readonly isRefusal: boolean;
}

/**
 * The spool, as what its replay gives. A replay takes one transaction after the other, so here an
 * append is one more step of the replay, and a rotation writes down the result.
 */
export interface Spool {
  /** Drained, less what was cut. */
  readonly book: Amount;
  /** Of the last chunk cut. */
  readonly number: number;
  /** Cut, and not applied as far as is known. */
  readonly chunk: Chunk | null;
  /** The last flip drained: what the ledger holds under it, or an earlier one, is in here too. */
  readonly flip: number;
}

/**
 * How far a process is with its recovery: the new spool is in place, the old ledger removed, a
 * blank one made; then it works. `unsaved` is only in a planted mistake.
 */
export const STAGES = ['unsaved', 'spooled', 'removed', 'blank', 'works'] as const;
/** What the reader does next with the side not written, which is cleared when it is idle. */
export const READER_STEPS = ['idle', 'await flip', 'spool', 'book', 'clear'] as const;
/** What has become of the chunk in flight. */
export const CHUNK_IS = ['none', 'cut', 'spooled', 'sent'] as const;

/** A process: what a kill takes with it. */
export interface Process {
  readonly stage: (typeof STAGES)[number];
  /** The side that the writer adds to. */
  readonly writing: 0 | 1;
  readonly reader: (typeof READER_STEPS)[number];
  /** What the reader found in that side and has not yet put into spool and book. */
  readonly found: Amount;
  readonly book: Amount;
  /** Of the last chunk cut. */
  readonly number: number;
  readonly chunk: Chunk | null;
  readonly chunkIs: (typeof CHUNK_IS)[number];
  /** On their way from Redis. */
  readonly replies: readonly Reply[];
  /** A spool written and not yet in place; only planted mistakes have one. */
  readonly draft: Spool | null;
}

/** Everything there is at one moment. */
export interface State {
  readonly samplesLeft: number;
  readonly killsLeft: number;
  readonly refusalsLeft: number;
  /** Added to the ledger so far: what Redis must hold in the end. */
  readonly accepted: Amount;
  readonly ledger: readonly [Side, Side] | null;
  readonly spool: Spool;
  /** The marker is the number of the last chunk applied or refused, and which of the two. */
  readonly redis: { readonly value: Amount; readonly marker: number; readonly isRefusal: boolean };
  /** On the way to Redis; they outlive the process. */
  readonly requests: readonly Chunk[];
  readonly process: Process | null;
}

/**
 * A step of the protocol: from a state to those it may lead to, none where it cannot be done. One
 * from outside must not be needed for what was accepted to arrive.
 */
export type Step = readonly [
  says: string,
  take: (state: State, wrong?: Change) => State[],
  from?: 'outside',
];

/** Mistakes that can be planted, one at a time; each changes one step. */
export const MISTAKES = {
  clearedFirst: 'a side is cleared before its drain is in the spool',
  newNumber: 'a chunk that is sent again gets a new number',
  appliedWhenSent: '"applied" is spooled when the chunk is sent, not when it is answered',
  askedTooEarly: 'a flip is asked for while the old side still holds counts',
  clippedReplay: 'a drain is in the book before the spool, and the spool knows none below zero',
  sentUnspooled: 'a chunk is sent before its cut is in the spool',
  sentOnce: 'a chunk is not sent again',
  anyReply: 'a reply is taken for the chunk in flight, whatever its number',
  refusedMerged: 'a refusal leaves no mark in Redis, and the number is used again',
  refusedSpent: 'a refusal leaves no mark in Redis, though the number is not used again',
  markerExpires: 'the marker in Redis expires while a request may still come',
  rotatedMidDrain: 'the spool is rotated when a drain is in it and not yet in the book',
  rotatedMidCut: 'the spool is rotated when a cut is out of the book and not yet in it',
  rotatedSlowly: 'what is spooled while a new spool is written goes to the old one',
  flipsIgnored: 'recovery takes a side whatever its flip',
  flipsUnmarked: 'recovery does not write down which flips it has taken',
  removedFirst: 'recovery removes the ledger before its counts are in the spool',
  flipsFromOne: 'a fresh ledger starts with flip 1 again',
  numbersFromOne: 'chunks are numbered from 1 again after a restart',
  chunkRecut: 'recovery puts the chunk in flight back into the book',
} as const;
/** What may be done otherwise as well: changes that are no mistakes. */
export const VARIATIONS = {
  bookedFirst: 'a drain is in the book before the spool, and the spool may go below zero',
  flipKept: 'a cleared side keeps its flip until the writer turns to it',
} as const;
/** What differs from the protocol: a mistake, or a variation. */
export type Change = keyof typeof MISTAKES | keyof typeof VARIATIONS;

/** How far the model goes. */
export interface Bounds {
  samples: number;
  kills: number;
  /** How often Redis says that the hash is no hash. */
  refusals: number;
}

/** Returns the first state: a process at work, and nothing counted yet. */
export function firstState({ samples, kills, refusals }: Bounds): State {
  const spool = { book: NOTHING, number: 0, chunk: null, flip: 0 };
  return {
    samplesLeft: samples,
    killsLeft: kills,
    refusalsLeft: refusals,
    accepted: NOTHING,
    ledger: [{ ...CLEARED, flip: 1 }, CLEARED],
    spool,
    redis: { value: NOTHING, marker: 0, isRefusal: false },
    requests: [],
    process: { ...begun(spool), stage: 'works' },
  };
}

/** Returns a process that knows what its spool holds. */
export function begun(spool: Spool): Process {
  const { book, number, chunk } = spool;
  return {
    stage: 'spooled',
    writing: 0,
    reader: 'idle',
    found: NOTHING,
    ...{ book, number, chunk },
    chunkIs: chunk === null ? 'none' : 'spooled',
    replies: [],
    draft: null,
  };
}

/** A state in which there is a process. */
export type Alive = State & { readonly process: Process };

/** Whether there is a process that has recovered. */
export function works(state: State): state is Alive & { readonly ledger: readonly [Side, Side] } {
  return state.process?.stage === 'works';
}

/** Returns the state with some of the process changed. */
export function turn(state: Alive, changed: Partial<Process>): Alive {
  return { ...state, process: { ...state.process, ...changed } };
}

/** Returns the ledger with one side changed. */
export function withSide({ ledger }: State, at: 0 | 1, side: Side): readonly [Side, Side] {
  return at === 0 ? [side, ledger![1]] : [ledger![0], side];
}

/** Whether there is a process that is so far. */
export function isAt(state: State, stage: Process['stage']): state is Alive {
  return state.process?.stage === stage;
}

/** Returns the spool that a process writes when nothing it does is half done. */
export function snapshot({ spool, process }: Alive): Spool {
  const { book, number, chunk } = process;
  return { book, number, chunk, flip: spool.flip };
}

/**
 * Returns the spool that a process begins with which finds what a kill has left: what the old one
 * replays, and those sides of the ledger that were written after the last drain in it.
 */
export function recovered({ spool, ledger }: State, wrong?: Change): Spool {
  let { book, number, chunk, flip } = spool;
  for (const side of ledger ?? []) {
    if (side.flip <= spool.flip && wrong !== 'flipsIgnored') continue;
    book += side.count;
    if (wrong !== 'flipsUnmarked') flip = Math.max(flip, side.flip);
  }
  if (wrong === 'numbersFromOne') number = chunk?.number ?? 0;
  if (wrong === 'chunkRecut') {
    book += chunk?.amount ?? NOTHING;
    chunk = null;
  }
  return { book, number, chunk, flip };
}

/** Returns what is wrong in a state, if anything is; it must hold in all of them. */
export function faultOf(state: State, wrong?: Change): string | undefined {
  const { accepted, redis } = state;
  if (ofName(redis.value, 'a') > ofName(accepted, 'a')) return 'Redis holds too much of a';
  if (ofName(redis.value, 'b') > ofName(accepted, 'b')) return 'Redis holds too much of b';
  const { book, chunk } = recovered(state, wrong);
  const isToApply = chunk !== null && (chunk.number > redis.marker || redis.isRefusal);
  const missing = accepted - redis.value - book - (isToApply ? chunk.amount : NOTHING);
  if (missing > 0) return 'killed now, it would lose something';
  return missing < 0 ? 'killed now, it would count something twice' : undefined;
}

/** Returns whether all is done: Redis holds what was accepted, and nothing is on its way there. */
export function isDelivered({ accepted, redis, process }: State): boolean {
  if (process?.stage !== 'works' || redis.value !== accepted) return false;
  return process.reader === 'idle' && process.book === NOTHING && process.chunk === null;
}

/** Returns what there is of one name in an amount; also below zero, where a mistake leads there. */
export function ofName(amount: Amount, name: keyof typeof SAMPLES): number {
  const ofB = Math.round(amount / SAMPLES.b);
  return name === 'b' ? ofB : amount - ofB * SAMPLES.b;
}

/** Returns the state in one line, for people. */
export function describeState(state: State): string {
  const { ledger, spool, redis, requests, process } = state;
  const amount = (some: Amount): string => `${ofName(some, 'a')}+${ofName(some, 'b')}`;
  const chunkOf = (some: Chunk | null): string =>
    some === null ? 'none' : `#${some.number} of ${amount(some.amount)}`;
  const sides = ledger?.map(({ flip, count }) => `${amount(count)} under flip ${flip}`) ?? ['none'];
  return [
    `ledger ${sides.join(', ')}`,
    `spool ${amount(spool.book)} chunk ${chunkOf(spool.chunk)} flip ${spool.flip}`,
    process === null ? 'killed' : `book ${amount(process.book)} chunk ${chunkOf(process.chunk)}`,
    `requests ${requests.map(({ number }) => `#${number}`).join(' ') || 'none'}`,
    `Redis ${amount(redis.value)} marker ${redis.marker}`,
  ].join(' | ');
}
