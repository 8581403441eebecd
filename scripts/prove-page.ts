// `npm run prove:page [-- minutes]`: an hour of frames of a collector with 5,000 names, shown to
// the real page in Chromium as fast as it takes them; its heap, nodes and listeners must be at the
// end what they were after ten minutes. The suite shows it 15 minutes.
import { growthOf, runPage } from '../test/support/page-run.ts';

const minutes = Number(process.argv[2] ?? 60);
const run = await runPage(60 * minutes);
const grown = growthOf(run);
for (const [when, { heap, nodes, listeners }] of [
  ['after 10 minutes', run.settled],
  [`after ${minutes} minutes`, run.end],
] as const) {
  console.log(
    `${when}: heap ${(heap / 2 ** 20).toFixed(2)} MiB, ${nodes} nodes, ${listeners} listeners`,
  );
}
for (const complaint of run.complaints) console.log(complaint);
console.log(grown.length === 0 ? 'nothing has grown' : `grown: ${grown.join(', ')}`);
process.exitCode = grown.length + run.complaints.length > 0 ? 1 : 0;
