// `npm run prove:reference [-- --seed n --lines m]`: sends random lines, 100,000 of them, to the
// reference (statsd from npm) and to statcol, and compares all that the two hold, by name.
import { parseArgs } from 'node:util';

import { runBesideReference } from '../test/support/reference-run.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { seed: text, lines: text } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const lines = Number(values.lines ?? 100_000);
const { sent, excluded, names, differences } = await runBesideReference(seed, lines);
console.log(`seed ${seed}: ${lines} lines, ${sent} of them sent to both`);
for (const [rule, count] of [...excluded].toSorted(([, a], [, b]) => b - a)) {
  console.log(`  ${String(count).padStart(6)} not: ${rule}`);
}
const kinds = Object.entries(names).map(([kind, count]) => `${count} ${kind}`);
console.log(`compared: ${kinds.join(', ')}`);
for (const difference of differences.slice(0, 50)) console.log(difference);
console.log(differences.length === 0 ? 'the same, per name' : `${differences.length} NOT the same`);
process.exitCode = differences.length === 0 ? 0 : 1;
