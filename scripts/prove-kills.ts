// `npm run prove:kills [-- kills [seed]]`: 200 times `kill -9` of a collector with a state directory,
// half of them at rest and half under traffic, and what came of every sample.
import { type KillRun, killAtRest, killUnderTraffic } from '../test/support/kill-run.ts';

const kills = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
console.log(`seed ${seed}`);
report('with the traffic stopped', await killAtRest(Math.ceil(kills / 2), seed));
report('under traffic', await killUnderTraffic(Math.floor(kills / 2), seed));

function report(how: string, { kills: done, samples, recovered, faults }: KillRun): void {
  console.log(`${how}: ${done} kills, ${samples} samples sent, ${recovered} taken over`);
  for (const fault of faults) console.log(`  WRONG: ${fault}`);
  console.log(faults.length === 0 ? '  exact' : `  ${faults.length} faults`);
  if (faults.length > 0) process.exitCode = 1;
}
