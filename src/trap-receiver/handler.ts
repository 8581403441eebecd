import type { IncomingMessage, ServerResponse } from 'node:http';

import { errorText } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import { answer } from './answer.ts';
import { type ArrivalLimits, createBudget, type Outcome, receive } from './arrival.ts';
import { createBlocks } from './blocks.ts';
import { createKeyMemory, type KeyLimits, KEY_LIMITS } from './keys.ts';
import { type Head, readHead, type Refusal, tooLarge, TRAP_METHODS, TRAP_PATH } from './request.ts';
import { createSubmission, type SubmissionResult } from './submission.ts';
import type { TrapSink } from './values.ts';

/** Takes what others would send to an HTTP trap. */
export interface TrapReceiver {
  /** Whether a request for this path, which may have a query, is for the trap. */
  handles(path: string): boolean;
  /** Answers a request, now or later. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Cuts every connection that is open; what comes after is cut too. */
  close(): void;
}

/** Every bound of a receiver. */
export interface TrapLimits extends ArrivalLimits {
  /** Submissions that arrive at once. */
  submissions: number;
  keys: KeyLimits;
}

/** What a receiver is made with. */
export interface TrapReceiverOptions {
  /** What the path must have behind the check's UUID. Not logged. */
  secret: string;
  /** Where samples go; called within `handle` and later. */
  sink: TrapSink;
  nowMs: () => number;
  log: Log;
  /** Those that are to be different from {@link TRAP_LIMITS}. */
  limits?: Partial<TrapLimits>;
}

/** What holds where nothing else is said. */
export const TRAP_LIMITS: TrapLimits = {
  bodyBytes: 16 * 1024 * 1024,
  allBytes: 128 * 1024 * 1024,
  arrivalMs: 30_000,
  silenceMs: 10_000,
  submissions: 64,
  keys: KEY_LIMITS,
};

/** A refusal is logged once in this time; how many there were besides is said with the next one. */
const LOG_EVERY_MS = 60_000;
const RETRY_AFTER = { 'Retry-After': '1' };
const NO_SINK: TrapSink = { sample() {}, histogram() {} };

/**
 * Creates a receiver that answers as the original does, for any check: 200
 * `{"stats":n,"filtered":0}`, or 406 with the error.
 *
 * Without an `Idempotency-Key`, samples are handed on as they arrive: those before an error, or
 * before the connection is lost, stay. With one, the submission is held until all of it is there
 * and has been read without an error, and only then handed on; the key is remembered first, so that
 * whatever a sender repeats is added once. While a key is arriving, others with it are told to come
 * again (503): whichever comes whole first is the one that counts.
 */
export function createTrapReceiver(options: TrapReceiverOptions): TrapReceiver {
  const { secret, sink } = options;
  const limits: TrapLimits = { ...TRAP_LIMITS, ...options.limits };
  const budget = createBudget(limits.allBytes);
  const taken = createKeyMemory(limits.keys);
  const arriving = new Set<string>();
  const open = new Set<IncomingMessage>();
  const complain = createComplaints(options.nowMs, options.log);
  let submissions = 0;
  let isClosed = false;

  return {
    handles(path) {
      return path.startsWith(TRAP_PATH) && /^(?:[/?]|$)/.test(path.slice(TRAP_PATH.length));
    },
    handle(request, response) {
      if (isClosed) {
        request.destroy();
        return;
      }
      open.add(request);
      response.on('close', () => open.delete(request)).on('error', () => {});
      request.on('error', () => {});
      if (request.method === 'OPTIONS') {
        answer(request, response, 204, { headers: { Allow: TRAP_METHODS } });
        return;
      }
      const head = readHead(request, secret, limits.bodyBytes);
      if ('error' in head) refuse(request, response, head);
      else admit(request, response, head);
    },
    close() {
      isClosed = true;
      for (const request of open) request.destroy();
    },
  };

  /** Lets a submission in, where it is new and there is room. */
  function admit(request: IncomingMessage, response: ServerResponse, head: Head): void {
    const { key, announcedBytes } = head;
    const known = key === undefined ? undefined : taken.find(key);
    if (known !== undefined) return give(request, response, known);
    if (key !== undefined && arriving.has(key)) {
      return refuse(request, response, busy('a submission of this key is arriving'));
    }
    if (submissions >= limits.submissions || !budget.take(announcedBytes)) {
      return refuse(request, response, busy(TOO_MUCH));
    }
    submissions++;
    if (key !== undefined) arriving.add(key);
    let held = announcedBytes;
    let arrived = 0;
    // What was announced is set aside already.
    const room = (bytes: number): boolean => {
      arrived += bytes;
      const further = Math.max(0, arrived - held);
      if (!budget.take(further)) return false;
      held += further;
      return true;
    };
    const read = key === undefined ? stream(request, head, room) : whole(request, head, room);
    void read
      .catch((error: unknown) => {
        complain('internal error', errorText(error), 'error');
        return { status: 500, error: 'internal error' };
      })
      .then((reply) => {
        submissions--;
        budget.giveBack(held);
        if (key !== undefined) arriving.delete(key);
        if (reply === undefined) request.destroy();
        else if ('stats' in reply && reply.status === 200) give(request, response, reply);
        else refuse(request, response, reply as Refusal);
      });
  }

  /** Reads a submission that is handed on as it comes. Undefined: there is nobody to answer. */
  async function stream(
    request: IncomingMessage,
    { isGzip }: Head,
    room: (bytes: number) => boolean,
  ): Promise<SubmissionResult | Refusal | undefined> {
    const submission = createSubmission(sink);
    const outcome = await receive({
      request,
      isGzip,
      limits,
      admit: room,
      onBytes(bytes) {
        submission.write(bytes);
        return !submission.failed;
      },
    });
    return outcome === 'whole' || outcome === 'enough' ? submission.end() : failed(outcome, limits);
  }

  /** Reads a submission that is handed on when it is whole. */
  async function whole(
    request: IncomingMessage,
    { isGzip, key }: Head,
    room: (bytes: number) => boolean,
  ): Promise<SubmissionResult | Refusal | undefined> {
    const blocks = createBlocks();
    const trial = createSubmission(NO_SINK);
    const outcome = await receive({
      request,
      isGzip,
      limits,
      admit: room,
      onBytes(bytes) {
        blocks.add(bytes);
        trial.write(bytes);
        return !trial.failed;
      },
    });
    if (outcome !== 'whole' && outcome !== 'enough') return failed(outcome, limits);
    const result = trial.end();
    if (result.status !== 200) return result;
    // From here on it counts as taken: what follows is done once, whoever asks again meanwhile.
    taken.add(key!, result);
    const submission = createSubmission(sink);
    for (const block of blocks.all()) {
      submission.write(block);
      await new Promise(setImmediate); // a large body holds nobody up
    }
    submission.end();
    return result;
  }

  function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    const { status, error, headers } = refusal;
    complain(String(status), `${error}, to ${request.socket.remoteAddress ?? 'nobody'}`, 'warn');
    answer(request, response, status, { body: { error }, headers });
  }
}

/** Returns what a body that did not arrive is answered; undefined where nobody is left to. */
function failed(outcome: Outcome, limits: TrapLimits): Refusal | undefined {
  switch (outcome) {
    case 'tooLarge':
      return tooLarge(limits.bodyBytes);
    case 'crowded':
      return busy(TOO_MUCH);
    case 'slow':
      return { status: 408, error: 'the submission did not arrive in time' };
    case 'unreadable':
      return { status: 406, error: 'Unable to read incoming payload' };
    case 'cut':
    case 'whole':
    case 'enough':
    default:
      return undefined;
  }
}

function give(
  request: IncomingMessage,
  response: ServerResponse,
  { stats, filtered, error }: SubmissionResult,
): void {
  const body = error === undefined ? { stats, filtered } : { stats, filtered, error };
  answer(request, response, 200, { body });
}

const TOO_MUCH = 'too much is arriving at once';

function busy(error: string): Refusal {
  return { status: 503, error, headers: RETRY_AFTER };
}

/** Logs, of each kind at most once in {@link LOG_EVERY_MS}. */
function createComplaints(
  nowMs: () => number,
  log: Log,
): (kind: string, text: string, level: 'warn' | 'error') => void {
  const kinds = new Map<string, { saidAtMs: number; unsaid: number }>();
  return (kind, text, level) => {
    const now = nowMs();
    const before = kinds.get(kind);
    if (before !== undefined && now - before.saidAtMs < LOG_EVERY_MS) {
      before.unsaid++;
      return;
    }
    const unsaid = before?.unsaid ?? 0;
    kinds.set(kind, { saidAtMs: now, unsaid: 0 });
    log(level, `trap receiver: ${kind} ${text}${unsaid > 0 ? `, and ${unsaid} more before` : ''}`);
  };
}
