// `npm run prove:away [-- seconds]`: a trap that is away for an hour, at 100,000 timings a second
// and 1,000 names, on a clock moved by hand. Memory must stay flat and every sample arrive.
import { runWithTrapAway } from '../test/support/away.ts';
import { bytesInUse } from '../test/support/heap.ts';

const seconds = Number(process.argv[2] ?? 3600);
const heap: number[] = [];

const result = await runWithTrapAway({
  seconds,
  timingsPerSecond: 100_000,
  names: 1000,
  onSecond(second) {
    if (second % Math.ceil(seconds / 12) !== 0) return;
    heap.push(bytesInUse() / 2 ** 20);
    console.log(`after ${second} s: ${heap.at(-1)?.toFixed(1)} MB`);
  },
});
const { samples, delivered, arrived, bodies, bytesMax } = result;
console.log(`samples ${samples}, delivered ${delivered}, arrived ${arrived} in ${bodies} bodies`);
console.log(`largest body ${bytesMax} bytes`);
const growth = (heap.at(-1) ?? 0) - (heap[1] ?? 0);
console.log(`memory grew by ${growth.toFixed(1)} MB from the second reading to the last`);
const good = samples === delivered && samples === arrived && growth < 16 && bytesMax <= 4 << 20;
console.log(good ? 'flat, and nothing lost' : 'NOT as it should be');
process.exitCode = good ? 0 : 1;
