import { expect } from 'chai';

import type { LeftVisitor } from '../../src/state/left-ledger.ts';

/** What was in a ledger, by name. */
export interface Content {
  counters: Map<string, [sum: number, samples: number]>;
  sets: Map<string, string[]>;
  /** In the order in which they were told. */
  gauges: Map<string, [value: number, absolute: boolean, samples: number][]>;
  timings: Map<string, [value: number, weight: number][]>;
}

export const nothing = (): Content => ({
  counters: new Map(),
  gauges: new Map(),
  sets: new Map(),
  timings: new Map(),
});

export function collect(into: Content): LeftVisitor {
  return {
    counter(name, sum, samples) {
      const [sumBefore, samplesBefore] = into.counters.get(name) ?? [0, 0];
      into.counters.set(name, [sumBefore + sum, samplesBefore + samples]);
    },
    member(name, bytes) {
      const member = Buffer.from(bytes).toString('latin1');
      into.sets.set(name, [...(into.sets.get(name) ?? []), member].toSorted());
    },
    gauge(name, { value, absolute }, samples) {
      into.gauges.set(name, [...(into.gauges.get(name) ?? []), [value, absolute, samples]]);
    },
    timings(name, values, weights) {
      expect(weights.length).to.equal(values.length);
      const pairs = Array.from(values, (value, at): [number, number] => [value, weights[at]!]);
      into.timings.set(name, [...(into.timings.get(name) ?? []), ...pairs]);
    },
  };
}

/** Contents together, whatever the order of sides. */
export function sorted(...contents: Content[]): Content {
  const all = nothing();
  const visitor = collect(all);
  for (const { counters, gauges, sets, timings } of contents) {
    for (const [name, members] of sets) {
      for (const member of members) visitor.member(name, Buffer.from(member, 'latin1'));
    }
    for (const [name, readings] of gauges) {
      for (const [value, absolute, samples] of readings) {
        visitor.gauge(name, { value, absolute }, samples);
      }
    }
    for (const [name, [sum, samples]] of counters) visitor.counter(name, sum, samples);
    for (const [name, pairs] of timings) {
      const column = (at: 0 | 1): Float64Array => Float64Array.from(pairs, (pair) => pair[at]);
      visitor.timings(name, column(0), column(1));
    }
  }
  for (const pairs of all.timings.values()) pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return all;
}
