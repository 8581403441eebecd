import { createTimingBook } from '../../src/flush/timing-book.ts';
import { createTimingFlusher } from '../../src/flush/timing-flusher.ts';
import type { Trap } from '../../src/sinks/trap.ts';
import { createFakeTime } from './fake-time.ts';

/** What is simulated. */
export interface AwayOptions {
  /** For how long the trap is away, in simulated seconds. */
  seconds: number;
  timingsPerSecond: number;
  names: number;
  /** Called after each simulated second, for a reading of memory. */
  onSecond: (second: number) => void;
}

/** What came of it. */
export interface AwayResult {
  samples: number;
  /** By the flusher's own tally. */
  delivered: number;
  /** Counted in the bodies that arrived when the trap was back. */
  arrived: number;
  bodies: number;
  bytesMax: number;
}

const INTERVAL_MS = 500;

/**
 * Lets timings come for a while during which the trap answers 503, on a clock that is moved by
 * hand, then lets it answer. The book and the flusher are the real ones.
 */
export async function runWithTrapAway(options: AwayOptions): Promise<AwayResult> {
  const { seconds, timingsPerSecond, names, onSecond } = options;
  const time = createFakeTime();
  const book = createTimingBook('n', 4 << 20);
  const result: AwayResult = { samples: 0, delivered: 0, arrived: 0, bodies: 0, bytesMax: 0 };
  let away = true;
  const trap: Trap = {
    label: 'trap http://away',
    close: () => {},
    push(body) {
      if (away) return Promise.reject(new Error('answered 503'));
      result.arrived += samplesIn(body);
      result.bodies++;
      result.bytesMax = Math.max(result.bytesMax, body.length);
      return Promise.resolve({ taken: true, note: undefined });
    },
  };
  const parts = {
    book,
    trap,
    instance: (): string => 'away-1',
    time,
    random: () => 0.5,
    log: () => {},
  };
  const flusher = createTimingFlusher(parts);
  const entries = Array.from({ length: names }, (_, at) => book.entry(`service.${at}.latency`));
  const perName = Math.max(1, Math.round((timingsPerSecond * INTERVAL_MS) / 1000 / names));
  const weights = new Float64Array(perName).fill(1);

  for (let tick = 1; tick <= (seconds * 1000) / INTERVAL_MS; tick++) {
    for (const [at, entry] of entries.entries()) {
      book.add(entry, latencies(perName, tick * names + at), weights);
    }
    result.samples += perName * names;
    flusher.flush();
    await time.pass(INTERVAL_MS);
    if (tick % 2 === 0) onSecond(tick / 2);
  }
  away = false;
  await flusher.flushLast();
  result.delivered = flusher.tally.delivered;
  return result;
}

/** Two humps and a tail, the same for the same seed. */
function latencies(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, at) => {
    const turn = ((seed * 31 + at * 17) % 100) / 100;
    if (turn < 0.55) return 480 + turn * 80;
    return turn < 0.98 ? 900 + turn * 200 : 3000 + turn * 2000;
  });
}

function samplesIn(body: string): number {
  const metrics = JSON.parse(body) as Record<
    string,
    { _type: string; _value: (string | number)[] }
  >;
  let samples = 0;
  for (const { _type, _value } of Object.values(metrics)) {
    for (const value of _value) samples += _type === 'h' ? Number(String(value).split('=')[1]) : 1;
  }
  return samples;
}
