import { binQuantiles } from '../histogram-quantiles.ts';
import type { Kind } from './frame.ts';
import { counterNames, type HeldNames, type NameSources, type RateSpan } from './name-sources.ts';

/** What is known of the names of one kind. */
export interface KindSource {
  readonly kind: Kind;
  /** One that is forgotten and comes back meanwhile may be twice. */
  names(): Iterable<string>;
  /** Another text when the names may be others. */
  version(): string;
  /** Increments, samples or writes per second. */
  rate(name: string, span: RateSpan): number;
  /** Over the live window; null where nothing was timed, or the kind has none. */
  p99(name: string): number | null;
  /** What the store held after the last write; null where that is not known, or there is none. */
  value(name: string): number | null;
  /** Of each of the seconds behind `before` what is told of it; null for nothing. */
  spark(name: string, before: number): (number | null)[];
}

/** How many values a row's small curve has. */
export const SPARK_SECONDS = 60;
const DAY_SECONDS = 86_400;

/** Returns all kinds, in the order in which names stand that are the same. */
export function kindsOf(sources: NameSources): KindSource[] {
  return [
    counters(sources),
    held('gauge', sources.gauges, sources),
    held('set', sources.sets, sources),
    timings(sources),
  ];
}

function counters(sources: NameSources): KindSource {
  const { trace, storeNames } = sources;
  return {
    kind: 'counter',
    names: () => counterNames(sources),
    version: () => `${trace.size} ${storeNames.version}`,
    rate: (name, { from, to }) => trace.recentSum(name, from, to) / (to - from + 1),
    p99: () => null,
    value: () => null,
    spark(name, before) {
      const spark = Array<number>(SPARK_SECONDS).fill(0);
      for (const [second, sum] of trace.points(name, before)) {
        const at = second - before - 1;
        if (at < SPARK_SECONDS) spark[at] = threeDigits(sum);
      }
      return spark;
    },
  };
}

function timings({ window }: NameSources): KindSource {
  return {
    kind: 'timing',
    names: () => window.names(),
    version: () => String(window.usage().names),
    rate: (name, { from, to }) => window.recentWeight(name, from, to) / (to - from + 1),
    p99: (name) => window.summary(name)?.p99 ?? null,
    value: () => null,
    spark(name, before) {
      const spark = Array<number | null>(SPARK_SECONDS).fill(null);
      for (const { second, span, bins } of window.columnsSince(name, before)) {
        const [p99 = NaN] = binQuantiles(bins, [0.99]);
        if (Number.isNaN(p99)) continue;
        const at = second - before - 1;
        // One that was merged for want of room spans many seconds.
        spark.fill(threeDigits(p99), at, Math.min(at + span, SPARK_SECONDS));
      }
      return spark;
    },
  };
}

function held(kind: 'gauge' | 'set', { memory, others }: HeldNames, all: NameSources): KindSource {
  const { writes, values } = memory;
  return {
    kind,
    *names() {
      yield* values.names();
      // Written, but not to the store yet.
      for (const name of writes.names()) if (!values.has(name)) yield name;
      for (const name of others.names()) {
        if (!values.has(name) && !writes.has(name)) yield name;
      }
    },
    version: () => `${values.size} ${writes.size} ${others.version}`,
    rate: (name, { from, to }) => writes.recentSum(name, from, to) / (to - from + 1),
    p99: () => null,
    value: (name) => standing(name, all.lastSecond() - 1, 1)[0]!,
    spark(name, before) {
      const known = standing(name, before, SPARK_SECONDS);
      return known.map((value) => (value === null ? null : threeDigits(value)));
    },
  };

  /** Returns what one stood at, in so many seconds behind `before`. */
  function standing(name: string, before: number, seconds: number): (number | null)[] {
    const found = Array<number | null>(seconds).fill(null);
    for (const [second, value] of values.points(name, -Infinity)) {
      const at = Math.max(0, second - before - 1);
      if (at < seconds) found.fill(Number.isNaN(value) ? null : value, at);
      // Of the members of one day none is left on the next.
      const midnight = nextMidnight(second, all.offsetSeconds()) - before - 1;
      if (kind === 'set' && midnight < seconds) found.fill(0, Math.max(0, midnight));
    }
    return found;
  }
}

/** Returns the first second of the next day, in UTC, on a clock that is `offset` behind. */
function nextMidnight(second: number, offset: number): number {
  const wall = second + offset;
  return wall - (wall % DAY_SECONDS) + DAY_SECONDS - offset;
}

/** Each digit more is sent to each page for each of sixty values of each row, each second. */
function threeDigits(value: number): number {
  return Number.isInteger(value) && Math.abs(value) < 1000 ? value : Number(value.toPrecision(3));
}
