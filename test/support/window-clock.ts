import { createWindowClock, type WindowClock } from '../../src/window/clock.ts';

/** A clock of the live window whose time is that of `nowMs`, which is also the system's. */
export function windowClockOf(nowMs: () => number): WindowClock {
  return createWindowClock({ nowMs, wallNowMs: nowMs });
}
