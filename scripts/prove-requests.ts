// `npm run prove:requests [-- requests]`: 100,000 requests to an Express application while Redis is
// killed and started again, and the trap answers 500 for a while; compares every hash and every
// number of times with what the server has seen.
import { isDeepStrictEqual } from 'node:util';

import { runRequests } from '../test/support/request-run.ts';

const startMs = performance.now();
const run = await runRequests(Number(process.argv[2] ?? 100_000));
const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
const sum = Object.values(run.times).reduce((all, one) => all + one, 0);
console.log(`${run.requests} requests in ${seconds} s; ${run.refusals} pushes were sent again`);
console.log(`Redis: ${JSON.stringify(run.counted, undefined, 1).replaceAll(/\n\s+/g, ' ')}`);
console.log(`the trap has ${sum} times`);
const same =
  run.refusals > 0 &&
  isDeepStrictEqual(run.counted, run.expected) &&
  isDeepStrictEqual(run.times, run.expectedTimes);
console.log(same ? 'exact, per hash, field and name' : 'NOT the same');
process.exitCode = same ? 0 : 1;
