// `npm run bench:window`: the live window full: 5 minutes, 1,000 names, 20 samples per name and
// second. What it takes of memory, and how long adding and reading take.
import { createWindow } from '../../dist/window/window.js';

const NAMES = 1000;
const SAMPLES = 20;
const SECONDS = 300;

let nowMs = 1_000_000_000;
const window = createWindow({ windowSeconds: SECONDS, budgetBytes: 64 << 20, nowMs: () => nowMs });
const weights = new Float64Array(SAMPLES).fill(1);
let addMs = 0;
let addMsMax = 0;
for (let second = 0; second < SECONDS; second++) {
  const batches = Array.from({ length: NAMES }, () =>
    Float64Array.from({ length: SAMPLES }, () => 400 + 900 * Math.random() ** 2),
  );
  const startMs = performance.now();
  for (const [at, values] of batches.entries()) window.add(`service.${at}`, values, weights);
  const tookMs = performance.now() - startMs;
  addMs += tookMs;
  addMsMax = Math.max(addMsMax, tookMs);
  nowMs += 1000;
}
const { bytes, columnsMerged, columnsDropped } = window.usage();
const startMs = performance.now();
const names = window.summaries().length;
const readMs = performance.now() - startMs;
console.log(`${NAMES} names, ${SAMPLES} samples per name and second, ${SECONDS} s`);
console.log(`memory: ${(bytes / 2 ** 20).toFixed(1)} MiB of 64 (${columnsMerged} columns merged,`);
console.log(
  `        ${columnsDropped} dropped), ${(bytes / NAMES / SECONDS).toFixed(0)} bytes a column`,
);
console.log(
  `adding: ${(addMs / SECONDS).toFixed(1)} ms a second on average, ${addMsMax.toFixed(1)} at most`,
);
console.log(`reading all ${names} names: ${readMs.toFixed(0)} ms`);
