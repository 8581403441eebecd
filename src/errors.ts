/**
 * The closed set of codes a {@link StatcolError} carries. Each says when it happens and what to do.
 */
export const ErrorCode = {
  /** An option is wrong or unknown. Every fault is listed in `faults`; correct them and start again. */
  ERR_OPTIONS: 'ERR_OPTIONS',
  /** An address could not be bound. `cause` is the system's error. Free the port or choose another. */
  ERR_LISTEN: 'ERR_LISTEN',
  /** A histogram's bin would exceed 2^53, where counts stop being exact. Start a new histogram. */
  ERR_HISTOGRAM_FULL: 'ERR_HISTOGRAM_FULL',
  /** Bytes that are no histogram. The message says what is wrong and where. */
  ERR_HISTOGRAM_FORMAT: 'ERR_HISTOGRAM_FORMAT',
  /** More was to be taken out of a histogram than it holds. Nothing was changed. */
  ERR_HISTOGRAM_UNDERRUN: 'ERR_HISTOGRAM_UNDERRUN',
  /** Something was started or configured twice, or after it was stopped. Create another. */
  ERR_STATE: 'ERR_STATE',
  /** The ingest thread died. The collector delivers what it holds and stops. */
  ERR_INGEST: 'ERR_INGEST',
  /** A state directory is in use by another collector. Stop it, or choose another directory. */
  ERR_STATE_DIR: 'ERR_STATE_DIR',
  /** Counters could not be written now. They are kept and tried again; `cause` says why. */
  ERR_NOT_WRITTEN: 'ERR_NOT_WRITTEN',
  /** The source of counters (Redis or a running collector) did not give them. `cause` says why. */
  ERR_SOURCE: 'ERR_SOURCE',
} as const;

/** One of the codes of {@link ErrorCode}. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** An operating failure: `code` for programs, `message` for people, `cause` for the origin. */
export class StatcolError extends Error {
  /** One of {@link ErrorCode}. */
  readonly code: ErrorCode;
  /** For `ERR_OPTIONS`: one line per fault. Otherwise empty. */
  readonly faults: readonly string[];

  constructor(code: ErrorCode, message: string, more: { cause?: unknown; faults?: string[] } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'StatcolError';
    this.code = code;
    this.faults = more.faults ?? [];
  }
}

/**
 * Returns a one-line text for anything that was thrown: the message, with the system's code in
 * front where the message does not hold it. Aggregate errors (a refused connection on IPv4 and
 * IPv6) give the first of their parts.
 */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorText(error.errors[0]);
  if (!(error instanceof Error)) {
    try {
      return String(error).replace(/\s+/g, ' ').trim();
    } catch {
      return Object.prototype.toString.call(error);
    }
  }
  const code = (error as NodeJS.ErrnoException).code;
  const message = error.message.replace(/\s+/g, ' ').trim() || kindOf(error);
  return typeof code === 'string' && !message.includes(code) ? `${code}: ${message}` : message;
}

/** Some have no message, and are told apart by their class alone. */
function kindOf(error: Error): string {
  return error.name === 'Error' ? error.constructor.name : error.name;
}
