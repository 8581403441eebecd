import { errorText } from '../errors.ts';
import type { Log } from '../flush/health.ts';

/** Says what an application should know, in Node's own way: a warning, on stderr unless changed. */
export const warn: Log = (level, message) => {
  if (level === 'warn' || level === 'error') process.emitWarning(message, 'StatcolWarning');
};

/** Says everything, on stderr. */
export const debug: Log = (level, message) => {
  process.stderr.write(`statcol ${level}: ${message}\n`);
};

/** A log that throws is the application's fault, and no reason to stop counting. */
export function guarded(log: Log): Log {
  return (level, message) => {
    try {
      log(level, message);
    } catch (error) {
      process.emitWarning(`onLog failed: ${errorText(error)}`, 'StatcolWarning');
    }
  };
}
