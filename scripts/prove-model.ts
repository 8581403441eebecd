// `npm run prove:model [-- samples kills refusals]`: looks at every state of the model of a
// counter's way to Redis, further than the suite does, and shows the shortest way to a fault for
// each mistake that is planted. Without bounds it takes about a minute and a half, and 1 GB.
import { search } from '../test/support/delivery-search.ts';
import type { Bounds, Change } from '../test/support/delivery-states.ts';
import { MISTAKES, VARIATIONS } from '../test/support/delivery-states.ts';

const FAR: readonly Bounds[] = [
  { samples: 4, kills: 2, refusals: 0 },
  { samples: 3, kills: 2, refusals: 1 },
];
const NEAR: Bounds = { samples: 3, kills: 2, refusals: 0 };
const NEAR_WITH_REFUSAL: Bounds = { ...NEAR, refusals: 1 };

const [samples, kills = 2, refusals = 0] = process.argv.slice(2).map(Number);
let isGood = true;
for (const bounds of samples === undefined ? FAR : [{ samples, kills, refusals }]) {
  console.log(`the protocol, ${JSON.stringify(bounds)}`);
  isGood = report(bounds) && isGood;
}
for (const [variation, says] of Object.entries(VARIATIONS)) {
  console.log(`\nvariation: ${says}`);
  isGood = report(NEAR, variation as Change) && isGood;
}
for (const [mistake, says] of Object.entries(MISTAKES)) {
  console.log(`\nmistake: ${says}`);
  isGood = !report(NEAR_WITH_REFUSAL, mistake as Change) && isGood;
}
console.log(isGood ? '\nthe protocol holds, and each mistake is found' : '\nNOT as it should be');
process.exitCode = isGood ? 0 : 1;

/** Returns whether there is no fault. */
function report(within: Bounds, change?: Change): boolean {
  const startMs = performance.now();
  const { states, transitions, ends, chunksAnswered, fault } = search(within, change);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`  ${states} states, ${transitions} transitions, ${seconds} s`);
  if (fault === undefined) {
    console.log(`  no fault; up to ${chunksAnswered} chunks answered, ${ends} states are ends`);
    return true;
  }
  console.log(`  ${fault.what}, after ${fault.steps.length} steps:`);
  for (const step of fault.steps) console.log(`    ${step}`);
  console.log(`  ${fault.state}`);
  return false;
}
