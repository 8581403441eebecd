// `npm run chaos [-- --seed n --minutes m --redis single|sentinel|cluster|all --no-wait]`: real
// collectors with state directories, a real Redis and a trap, traffic, and a storm of faults; then
// what was sent is compared with what has arrived, to the unit. `all` gives most of the time to a
// single Redis. With `--no-wait` no replica is waited for: what that loses is told, and no failure.
// `--hasty` makes spools and ledgers anew all the time, which takes minutes otherwise.
// `--only <kind>`, repeatable, leaves only some kinds of faults; `--names n` says how many names.
// `--plant <mistake>` does it with a mistake in the program, which has to fail; `--plants` tries
// each mistake for some seconds, and fails where one is not found.
import { parseArgs } from 'node:util';

import { hasty, type PlantName, PLANTS, runPlanted } from '../test/support/chaos-plants.ts';
import { firstFinding, isExact, printReport } from '../test/support/chaos-print.ts';
import { type ChaosOptions, runChaos } from '../test/support/chaos-run.ts';

const PLANT_SECONDS = 10;
const SHARES = { single: 0.6, sentinel: 0.2, cluster: 0.2 } as const;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '1' },
    redis: { type: 'string', default: 'single' },
    names: { type: 'string' },
    hasty: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    'no-wait': { type: 'boolean', default: false },
    plant: { type: 'string' },
    plants: { type: 'boolean', default: false },
  },
});
const seed = number('seed', values.seed);
const seconds = 60 * number('minutes', values.minutes);
// Fewer kinds of faults, by the names that a report gives them, and another number of names.
const hurried = values.hasty ? hasty() : undefined;
const some = {
  ...(hurried !== undefined && { program: hurried.program }),
  ...(values.only !== undefined && { only: values.only }),
  ...(values.names !== undefined && { names: number('names', values.names) }),
};
if (values.plants) process.exitCode = await tryPlants();
else if (values.plant !== undefined) process.exitCode = await tryPlant(values.plant);
else process.exitCode = await tryProgram(values.redis, !values['no-wait']);
hurried?.remove();

async function tryProgram(redis: string, waits: boolean): Promise<number> {
  let code = 0;
  for (const [which, share] of Object.entries(SHARES) as [ChaosOptions['redis'], number][]) {
    if (redis !== which && redis !== 'all') continue;
    const time = redis === 'all' ? share * seconds : seconds;
    const report = await runChaos({ seed, seconds: time, redis: which, waits, ...some });
    printReport(report);
    if (isExact(report)) continue;
    // Without waiting it is the replication that loses; what the collector says must still hold.
    const isLossOfReplication = !waits && which !== 'single' && report.wrongs.length === 0;
    if (isLossOfReplication) console.log('not waited for: this is what replication has lost');
    else code = 1;
  }
  return code;
}

async function tryPlant(name: string): Promise<number> {
  if (!(name in PLANTS)) throw new Error(`--plant: one of ${Object.keys(PLANTS).join(', ')}`);
  const report = await runPlanted(name as PlantName, seed, seconds);
  printReport(report);
  return isExact(report) ? 0 : 1;
}

/** Returns 0 only if each is found, and nothing where there is no mistake. */
async function tryPlants(): Promise<number> {
  const control = await runPlanted(undefined, seed, PLANT_SECONDS);
  console.log(`no mistake: ${isExact(control) ? 'exact' : `NOT EXACT: ${firstFinding(control)}`}`);
  let code = isExact(control) ? 0 : 1;
  for (const [name, { says }] of Object.entries(PLANTS)) {
    const report = await runPlanted(name as PlantName, seed, PLANT_SECONDS);
    const found = isExact(report) ? 'NOT FOUND' : `found: ${firstFinding(report)}`;
    const faults = [...report.faults.values()].reduce((sum, count) => sum + count, 0);
    console.log(`${name}: ${says}`);
    console.log(`  seed ${seed}, ${faults} faults, ${report.tookSeconds.toFixed(1)} s; ${found}`);
    if (isExact(report)) code = 1;
  }
  return code;
}

function number(flag: string, text: string): number {
  const value = Number(text);
  if (text === '' || !(value >= 0)) throw new Error(`--${flag}: expected a number, got ${text}`);
  return value;
}
