// `npm run prove:cuts [-- cuts [seed]]`: cuts the connection between a collector and Redis, 200
// times at random bytes, and compares what was sent with what Redis holds, per name.
import { isDeepStrictEqual } from 'node:util';

import { runWithCuts } from '../test/support/cut-run.ts';

const cutsWanted = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const { cuts, sent, counted, gauges } = await runWithCuts(cutsWanted, seed);
const sum = (values: Map<string, number>): number =>
  [...values.values()].reduce((a, b) => a + b, 0);
console.log(`seed ${seed}: ${cuts} cuts, sent ${sum(sent)}, Redis holds ${sum(counted)}`);
const sorted = (values: Map<string, number>) => new Map([...values].toSorted());
const same = [counted, gauges].every((held) => isDeepStrictEqual(sorted(sent), sorted(held)));
console.log(same ? 'exact, per name' : 'NOT the same');
process.exitCode = same ? 0 : 1;
