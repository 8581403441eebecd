// `npm run prove:fuzz [-- --datagrams n --seed s --plant]`: a million fuzzed datagrams over UDP, TCP
// and a unix socket, in rounds of 100,000, each with a collector of its own and other flags; and
// all that came of them, to the unit.
import { parseArgs } from 'node:util';

import { type FuzzOptions, runFuzz } from '../test/support/fuzz-run.ts';

const ROUND = 100_000;
/** One after the other, and again. */
const SETTINGS: Omit<FuzzOptions, 'datagrams' | 'seed'>[] = [
  {},
  { stateDir: true, rule: 'keep', dialect: 'influx' },
  { redis: true, dialect: 'librato' },
  { redis: true, stateDir: true, dialect: 'signalfx' },
  { rule: 'keep', flags: ['--receiver', 'dgram'], dialect: 'signalfx' },
  { rule: 'keep', stateDir: true, flags: ['--threads', '2'] },
];

const { values } = parseArgs({
  options: {
    datagrams: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    plant: { type: 'boolean', default: false },
  },
});
const datagrams = Number(values.datagrams);
const seed = Number(values.seed);
console.log(`seed ${seed}`);
const sums = { datagrams: 0, accepted: 0, refused: 0, faults: 0 };
for (let done = 0; done < datagrams; done += ROUND) {
  const round = done / ROUND;
  const settings = { ...SETTINGS[round % SETTINGS.length], plant: values.plant };
  const startMs = performance.now();
  const run = await runFuzz({
    ...settings,
    ...{ datagrams: Math.min(ROUND, datagrams - done), seed: seed + round },
  });
  const { sent, expected, faults, resets, ends, bytes } = run;
  const refused = [...expected.refused].map(([reason, lines]) => `${reason} ${lines}`).join(', ');
  const names = ['counters', 'timings', 'gauges', 'sets'] as const;
  console.log(
    `${JSON.stringify(settings)}: ${sent.udp} over UDP, ${sent.unix} over unix, ${sent.tcp} over TCP ` +
      `(${ends} connections ended, ${resets} reset), ${(bytes / 1e6).toFixed(0)} MB, ` +
      `${((performance.now() - startMs) / 1000).toFixed(0)} s`,
  );
  console.log(`  ${expected.accepted} lines accepted; refused: ${refused}`);
  console.log(
    `  ${names.map((kind) => `${expected.samples[kind]} samples of ${expected[kind].size} ${kind}`).join(', ')}`,
  );
  for (const fault of faults) console.log(`  WRONG: ${fault}`);
  console.log(faults.length === 0 ? '  exact' : `  ${faults.length} faults`);
  sums.datagrams += sent.udp + sent.unix + sent.tcp;
  sums.accepted += expected.accepted;
  for (const lines of expected.refused.values()) sums.refused += lines;
  sums.faults += faults.length;
}
console.log(
  `${sums.datagrams} datagrams, ${sums.accepted} lines accepted, ${sums.refused} refused: ` +
    (sums.faults === 0 ? 'exact' : `${sums.faults} faults`),
);
process.exitCode = sums.faults === 0 ? 0 : 1;
