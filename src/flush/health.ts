/** How a sink is doing, as it stands in `/api/vitals` and `/healthz`. */
export interface Health {
  /** False from a failed attempt until the next one that succeeds. */
  readonly up: boolean;
  /** What went wrong last, or null; stays after a recovery. */
  readonly lastError: string | null;
  /** How long the last delivery took, in milliseconds, or null before the first. */
  readonly lastMs: number | null;
  /** For how long it has failed, in milliseconds; 0 while it is up. */
  downMs(): number;
  /** How long ago an attempt succeeded last, and one failed, in milliseconds; undefined for never. */
  sinceSuccessMs(): number | undefined;
  sinceFailureMs(): number | undefined;
  /** An attempt succeeded; `tookMs` where something was delivered. */
  succeeded(tookMs?: number): void;
  /** An attempt failed, and what was to be delivered is kept. */
  failed(error: string): void;
  /** What was to be delivered was refused for good: the caller says what became of it. */
  refused(error: string): void;
}

/** What is said in the log when a sink fails or comes back: once per change, not per attempt. */
export type Log = (level: 'error' | 'warn' | 'info' | 'debug', message: string) => void;

/**
 * Creates the health of a sink.
 *
 * @param name what it is called in the log: `redis 127.0.0.1:6379`, `trap https://host`.
 * @param isUp what is taken for true before the first attempt. Down then means not reached yet.
 */
export function createHealth(
  name: string,
  { isUp, nowMs, log }: { isUp: boolean; nowMs: () => number; log: Log },
): Health {
  let up = isUp;
  let lastError: string | null = null;
  let lastMs: number | null = null;
  let downSinceMs = nowMs();
  let succeededMs: number | undefined;
  let failedMs: number | undefined;
  return {
    get up() {
      return up;
    },
    get lastError() {
      return lastError;
    },
    get lastMs() {
      return lastMs;
    },
    downMs: () => (up ? 0 : nowMs() - downSinceMs),
    sinceSuccessMs: () => agoOf(succeededMs),
    sinceFailureMs: () => agoOf(failedMs),
    succeeded(tookMs) {
      if (!up && lastError !== null)
        log('info', `${name} is back after ${seconds(nowMs() - downSinceMs)} s`);
      up = true;
      succeededMs = nowMs();
      if (tookMs !== undefined) lastMs = Math.round(tookMs * 10) / 10;
    },
    failed(error) {
      if (up || error !== lastError) {
        log('warn', `${name} failed: ${error}; everything is kept and tried again`);
      }
      down(error);
    },
    refused: down,
  };

  function agoOf(ms: number | undefined): number | undefined {
    return ms === undefined ? undefined : nowMs() - ms;
  }

  function down(error: string): void {
    if (up) downSinceMs = nowMs();
    up = false;
    failedMs = nowMs();
    lastError = error;
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
