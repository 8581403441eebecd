// The protocol that carries a counter from the ledger to Redis exactly once, though the process may
// be killed between any two steps, when there is a state directory. Not modelled: power failures.
import type { Amount, Change, Process, State, Step } from './delivery-states.ts';
import { begun, isAt, recovered, snapshot, turn, withSide, works } from './delivery-states.ts';
import { CLEARED, NOTHING, ofName, SAMPLES } from './delivery-states.ts';

/** Requests under way, one of which may be a late duplicate; and replies. */
const IN_NETWORK_MAX = 2;

/**
 * The protocol, in the order of a sample's way. Each step is one store, one append or one message,
 * and any step that can be done may be the next. 6f and 9a are only in planted mistakes.
 */
export const STEPS: readonly Step[] = [
  ['1  a sample of a is added', (state) => addSample(state, SAMPLES.a), 'outside'],
  ['1  a sample of b is added', (state) => addSample(state, SAMPLES.b), 'outside'],
  ['2a the reader asks for a flip', askForFlip],
  ['2b the writer turns to the other side', answerFlip],
  ['3  the drain is spooled', spoolDrain],
  ['4a the drain goes into the book', bookDrain],
  ['4b the old side is cleared: a name', clearName],
  ['4c the old side is cleared: its flip', clearFlip],
  ['5a the book is cut', cut],
  ['5b the cut is spooled', spoolCut],
  ['6a the chunk is sent', send],
  ['6b a request reaches Redis, which applies it if it is new', arriveAndApply],
  ['6c a request reaches Redis, which refuses it', arriveAndRefuse],
  ['6d a request is lost', loseRequest],
  ['6e a reply is lost, or comes too late', loseReply],
  ['6f the marker expires', expire],
  ['7  time-out: the chunk is sent again', sendAgain],
  ['8a the reply arrives: "applied" is spooled', acknowledge],
  ['8b the refusal arrives: the chunk goes back into the book, which is spooled', takeBack],
  ['9a a new spool is written', writeSpool],
  ['9b the new spool takes the place of the old', rotate],
  ['10 kill -9', kill, 'outside'],
  ['11a recovery: a new spool, with what the ledger held', recoverSpool],
  ['11b recovery: the old ledger is removed', removeLedger],
  ['11c recovery: a blank ledger is made', makeLedger],
  ['11d recovery: the writer begins a side', beginSide],
];

function addSample(state: State, sample: Amount): State[] {
  if (!works(state) || state.samplesLeft === 0) return [];
  const { writing } = state.process;
  const side = state.ledger[writing];
  const ledger = withSide(state, writing, { ...side, count: side.count + sample });
  const samplesLeft = state.samplesLeft - 1;
  return [{ ...state, ledger, samplesLeft, accepted: state.accepted + sample }];
}

/** Only when there is something new, as the drainer does: an empty drain would change nothing. */
function askForFlip(state: State, wrong?: Change): State[] {
  if (!works(state)) return [];
  const { reader, writing } = state.process;
  const mayAsk = reader === 'idle' || (wrong === 'askedTooEarly' && reader === 'clear');
  if (!mayAsk || state.ledger[writing].count === NOTHING) return [];
  return [turn(state, { reader: 'await flip' })];
}

/** From here on the old side is the reader's, who will find in it what is there now. */
function answerFlip(state: State, wrong?: Change): State[] {
  if (!works(state) || state.process.reader !== 'await flip') return [];
  const old = state.process.writing;
  const writing = old === 0 ? 1 : 0;
  const { flip, count: found } = state.ledger[old];
  const side = { ...state.ledger[writing], flip: flip + 1 };
  const ledger = withSide(state, writing, side);
  return [turn({ ...state, ledger }, { writing, found, reader: drainOrder(wrong)[0]! })];
}

/** What the reader does with the old side, one after the other. */
function drainOrder(wrong?: Change): Process['reader'][] {
  if (wrong === 'clearedFirst') return ['clear', 'spool', 'book', 'idle'];
  const isBookedFirst = wrong === 'bookedFirst' || wrong === 'clippedReplay';
  return isBookedFirst ? ['book', 'spool', 'clear', 'idle'] : ['spool', 'book', 'clear', 'idle'];
}

/** What it found is forgotten once it is in the spool and in the book. */
function afterwards(
  { found }: Process,
  done: Process['reader'],
  wrong?: Change,
): Pick<Process, 'reader' | 'found'> {
  const order = drainOrder(wrong);
  const reader = order[order.indexOf(done) + 1]!;
  return { reader, found: reader === 'clear' || reader === 'idle' ? NOTHING : found };
}

function spoolDrain(state: State, wrong?: Change): State[] {
  if (!works(state) || state.process.reader !== 'spool') return [];
  const { found, writing } = state.process;
  const flip = state.ledger[writing].flip - 1;
  const spool = { ...state.spool, book: state.spool.book + found, flip };
  return [turn({ ...state, spool }, afterwards(state.process, 'spool', wrong))];
}

function bookDrain(state: State, wrong?: Change): State[] {
  if (!works(state) || state.process.reader !== 'book') return [];
  const book = state.process.book + state.process.found;
  return [turn(state, { book, ...afterwards(state.process, 'book', wrong) })];
}

/** First all of a, then all of b: a kill may come in the middle. */
function clearName(state: State): State[] {
  if (!works(state) || state.process.reader !== 'clear') return [];
  const old = state.process.writing === 0 ? 1 : 0;
  const { flip, count } = state.ledger[old];
  if (count === NOTHING) return [];
  const ofA = ofName(count, 'a');
  const side = { flip, count: ofA === 0 ? NOTHING : count - ofA };
  return [{ ...state, ledger: withSide(state, old, side) }];
}

function clearFlip(state: State, wrong?: Change): State[] {
  if (!works(state) || state.process.reader !== 'clear') return [];
  const old = state.process.writing === 0 ? 1 : 0;
  if (state.ledger[old].count !== NOTHING) return [];
  const ledger = withSide(state, old, wrong === 'flipKept' ? state.ledger[old] : CLEARED);
  return [turn({ ...state, ledger }, afterwards(state.process, 'clear', wrong))];
}

/** What the book holds becomes a chunk, if none is on its way. */
function cut(state: State): State[] {
  if (!works(state)) return [];
  const { book: amount, number: last, chunk } = state.process;
  if (chunk !== null || amount === NOTHING) return [];
  const number = last + 1;
  const changed = { book: NOTHING, number, chunk: { number, amount }, chunkIs: 'cut' } as const;
  return [turn(state, changed)];
}

function spoolCut(state: State, wrong?: Change): State[] {
  if (!works(state)) return [];
  const { chunk, chunkIs } = state.process;
  if (chunk === null || chunkIs !== 'cut') return [];
  const book = state.spool.book - chunk.amount;
  const kept = wrong === 'clippedReplay' ? Math.max(NOTHING, book) : book;
  const spool = { ...state.spool, book: kept, number: chunk.number, chunk };
  return [turn({ ...state, spool }, { chunkIs: 'spooled' })];
}

function send(state: State, wrong?: Change): State[] {
  if (!works(state) || state.requests.length === IN_NETWORK_MAX) return [];
  const { chunk, chunkIs } = state.process;
  const maySend = chunkIs === 'spooled' || (wrong === 'sentUnspooled' && chunkIs === 'cut');
  if (chunk === null || !maySend) return [];
  const spool = wrong === 'appliedWhenSent' ? { ...state.spool, chunk: null } : state.spool;
  const requests = [...state.requests, chunk];
  return [turn({ ...state, spool, requests }, { chunkIs: 'sent' })];
}

/** The same chunk once more; the earlier try may be lost, or may still arrive. */
function sendAgain(state: State, wrong?: Change): State[] {
  if (!works(state) || state.requests.length === IN_NETWORK_MAX) return [];
  const { chunk, chunkIs, number: last } = state.process;
  if (chunk === null || chunkIs !== 'sent' || wrong === 'sentOnce') return [];
  const number = wrong === 'newNumber' ? last + 1 : last;
  const again = { ...chunk, number };
  return [turn({ ...state, requests: [...state.requests, again] }, { chunk: again, number })];
}

function arriveAndApply(state: State): State[] {
  return state.requests.map((request, at) => {
    const { value, marker } = state.redis;
    if (request.number <= marker) return answered(state, at);
    const redis = { value: value + request.amount, marker: request.number, isRefusal: false };
    return answered({ ...state, redis }, at);
  });
}

/** Nothing is added, but the number is used up, so that a late copy of the request does nothing. */
function arriveAndRefuse(state: State, wrong?: Change): State[] {
  if (state.refusalsLeft === 0) return [];
  const isMarked = wrong !== 'refusedMerged' && wrong !== 'refusedSpent';
  return state.requests.flatMap(({ number }, at) => {
    if (number <= state.redis.marker) return [];
    const redis = { ...state.redis, marker: number, isRefusal: true };
    const after = answered({ ...state, redis, refusalsLeft: state.refusalsLeft - 1 }, at);
    return isMarked ? after : { ...after, redis: state.redis };
  });
}

/**
 * With what the marker says, and to whoever is there: a process may hear here what an earlier one
 * has asked for. That is more than can happen, and does no harm either.
 */
function answered(state: State, at: number): State {
  const after = { ...state, requests: state.requests.toSpliced(at, 1) };
  if (!works(after) || after.process.replies.length === IN_NETWORK_MAX) return after;
  const { number } = state.requests[at]!;
  const reply = { number, isRefusal: state.redis.isRefusal };
  return turn(after, { replies: [...after.process.replies, reply] });
}

function loseRequest(state: State): State[] {
  const { requests } = state;
  return requests.map((_, at) => ({ ...state, requests: requests.toSpliced(at, 1) }));
}

function loseReply(state: State): State[] {
  if (!works(state)) return [];
  const { replies } = state.process;
  return replies.map((_, at) => turn(state, { replies: replies.toSpliced(at, 1) }));
}

function expire(state: State, wrong?: Change): State[] {
  if (wrong !== 'markerExpires' || state.redis.marker === 0) return [];
  return [{ ...state, redis: { ...state.redis, marker: 0 } }];
}

function acknowledge(state: State, wrong?: Change): State[] {
  const at = answerAt(state, false, wrong);
  if (!works(state) || at < 0) return [];
  const replies = state.process.replies.toSpliced(at, 1);
  const spool = { ...state.spool, chunk: null };
  return [turn({ ...state, spool }, { chunk: null, chunkIs: 'none', replies })];
}

/** What is in it comes again, with what else there is by then, under the next number. */
function takeBack(state: State, wrong?: Change): State[] {
  const at = answerAt(state, true, wrong);
  if (!works(state) || at < 0) return [];
  const replies = state.process.replies.toSpliced(at, 1);
  const { amount, number: last } = state.process.chunk!;
  const number = wrong === 'refusedMerged' ? last - 1 : last;
  const spool = { ...state.spool, book: state.spool.book + amount, number, chunk: null };
  const book = state.process.book + amount;
  return [turn({ ...state, spool }, { book, number, chunk: null, chunkIs: 'none', replies })];
}

/** Which of the replies answers the chunk in flight; -1 if none. */
function answerAt({ process }: State, isRefusal: boolean, wrong?: Change): number {
  if (process === null || process.chunk === null) return -1;
  return process.replies.findIndex((reply) => {
    const isMeant = reply.number === process.chunk!.number || wrong === 'anyReply';
    return isMeant && reply.isRefusal === isRefusal;
  });
}

/** As one step with the next: whatever is to be spooled waits until the new spool is in place. */
function writeSpool(state: State, wrong?: Change): State[] {
  if (wrong !== 'rotatedSlowly' || !works(state) || !mayRotate(state.process)) return [];
  return [turn(state, { draft: snapshot(state) })];
}

/** By a rename. Nothing is half done: what the process knows is what the spool would replay. */
function rotate(state: State, wrong?: Change): State[] {
  if (!works(state)) return [];
  const { draft } = state.process;
  if (draft !== null) return [turn({ ...state, spool: draft }, { draft: null })];
  if (wrong === 'rotatedSlowly' || !mayRotate(state.process, wrong)) return [];
  return [{ ...state, spool: snapshot(state) }];
}

function mayRotate({ reader, found, chunkIs }: Process, wrong?: Change): boolean {
  const isMidDrain = found !== NOTHING && reader !== drainOrder(wrong)[0];
  if (isMidDrain && wrong !== 'rotatedMidDrain') return false;
  return chunkIs !== 'cut' || wrong === 'rotatedMidCut';
}

/** What is in the network stays there; whoever waited for the replies is no more. */
function kill(state: State): State[] {
  if (state.process === null || state.killsLeft === 0) return [];
  return [{ ...state, process: null, killsLeft: state.killsLeft - 1 }];
}

/** Replays the spool, adds what only the ledger holds, and puts the result in the spool's place. */
function recoverSpool(state: State, wrong?: Change): State[] {
  const { process } = state;
  if (process?.stage === 'unsaved') {
    return [turn({ ...state, process, spool: process.draft! }, { stage: 'removed', draft: null })];
  }
  if (process !== null) return [];
  const spool = recovered(state, wrong);
  if (wrong !== 'removedFirst') return [{ ...state, spool, process: begun(spool) }];
  const unsaved = { ...begun(spool), stage: 'unsaved', draft: spool } as const;
  return [{ ...state, ledger: null, process: unsaved }];
}

function removeLedger(state: State): State[] {
  return isAt(state, 'spooled') ? [turn({ ...state, ledger: null }, { stage: 'removed' })] : [];
}

function makeLedger(state: State): State[] {
  if (!isAt(state, 'removed')) return [];
  return [turn({ ...state, ledger: [CLEARED, CLEARED] }, { stage: 'blank' })];
}

/** Its flips go on where those of the old one have ended, which the spool has seen. */
function beginSide(state: State, wrong?: Change): State[] {
  if (!isAt(state, 'blank')) return [];
  const flip = wrong === 'flipsFromOne' ? 1 : state.spool.flip + 1;
  return [turn({ ...state, ledger: [{ ...CLEARED, flip }, CLEARED] }, { stage: 'works' })];
}
