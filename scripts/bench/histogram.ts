// `npm run bench:histogram`: adding to a histogram, beside hdr-histogram-js and sketches-js, all in
// one process, in turns, on the same values. Ratios count; absolute figures differ by machine.
import { DDSketch } from '@datadog/sketches-js';
import { build } from 'hdr-histogram-js';

import { Histogram } from '../../dist/histogram.js';
import { median } from './statistics.ts';

const ROUNDS = 7;
const ADDS = 4_000_000;

// Latencies with two humps and a tail, in milliseconds.
const values = Float64Array.from({ length: 1 << 16 }, () => {
  const spread =
    Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  const hump = Math.random() < 0.55 ? 500 + 40 * spread : 1000 + 60 * spread;
  return Math.max(0.1, Math.random() < 0.02 ? 3000 + 500 * Math.abs(spread) : hump);
});

// A loop of its own for each: a shared one would call them through what it learned of the others.
const contestants: { name: string; run: () => void }[] = [
  {
    name: 'statcol Histogram',
    run() {
      const histogram = new Histogram();
      for (let index = 0; index < ADDS; index++) histogram.add(values[index & 0xffff]!);
    },
  },
  {
    name: 'hdr-histogram-js (3 digits)',
    run() {
      const hdr = build({ numberOfSignificantValueDigits: 3 });
      for (let index = 0; index < ADDS; index++)
        hdr.recordValue(Math.round(values[index & 0xffff]!));
    },
  },
  {
    name: 'sketches-js DDSketch (1 %)',
    run() {
      const sketch = new DDSketch({ relativeAccuracy: 0.01 });
      for (let index = 0; index < ADDS; index++) sketch.accept(values[index & 0xffff]!);
    },
  },
];

const millions = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
for (let round = 0; round <= ROUNDS; round++) {
  for (const { name, run } of contestants) {
    const startMs = performance.now();
    run();
    // The first round warms up.
    if (round > 0) millions.get(name)!.push(ADDS / 1000 / (performance.now() - startMs));
  }
}
const own = median(millions.get('statcol Histogram')!);
console.log(`adds per second on one core, median of ${ROUNDS} rounds`);
for (const [name, rounds] of millions) {
  const found = median(rounds);
  console.log(
    `${name.padEnd(30)} ${found.toFixed(1).padStart(7)} M/s   ours is ${(own / found).toFixed(2)} × that`,
  );
}
