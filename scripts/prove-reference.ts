// `npm run prove:reference [-- --seed n --lines m]`: sends random lines, 100,000 of them, to the
// reference (statsd from npm) and to statcol, and compares all that the two hold, by name.
import { parseArgs } from 'node:util';

import { runBesideReference } from '../test/support/reference-run.ts';

/** So that sets with all their tags stay within the 4,096 that memory holds. */
const RUN_LINES = 20_000;

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { seed: text, lines: text } });
const first = Number(values.seed ?? Date.now() % 1_000_000);
const lines = Number(values.lines ?? 100_000);
const excludedInAll = new Map<string, number>();
let unequal = 0;
for (let done = 0, seed = first; done < lines; done += RUN_LINES, seed++) {
  const run = await runBesideReference(seed, Math.min(RUN_LINES, lines - done));
  const kinds = Object.entries(run.names).map(([kind, count]) => `${count} ${kind}`);
  console.log(`seed ${seed}: ${run.sent} lines to both; ${kinds.join(', ')} compared`);
  for (const [rule, count] of run.excluded) {
    excludedInAll.set(rule, (excludedInAll.get(rule) ?? 0) + count);
  }
  for (const difference of run.differences.slice(0, 20)) console.log(difference);
  unequal += run.differences.length;
}
for (const [rule, count] of [...excludedInAll].toSorted(([, a], [, b]) => b - a)) {
  console.log(`${String(count).padStart(7)} lines not sent: ${rule}`);
}
console.log(unequal === 0 ? 'the same, per name' : `${unequal} names NOT the same`);
process.exitCode = unequal === 0 ? 0 : 1;
