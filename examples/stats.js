// Counts inside a process. Run it with `npm run example:stats`, in memory; or, with a Redis,
// `REDIS_URL=redis://127.0.0.1:6379 npm run example:stats`.
import { Stats } from 'statcol';

const stats = new Stats({
  redis: process.env.REDIS_URL, // absent: in memory
  keys: ['example:stats', `example:${process.pid}:stats`], // for all processes, and for this one
  writeFrequency: 1000, // milliseconds
});

stats.increment('myCount', 2);
stats.increment('myCount', 3);
stats.increment('myCount', -1);
stats.increment('files:sent'); // adds 1
stats.increment('files:megabytes', 0.75); // fractions add up until they make a whole one
stats.increment('files:megabytes', 0.75);

const show = (title, what) => console.log(title, JSON.stringify(what, undefined, 2));

show('buffered:', stats.pending);
await stats.write(); // or wait for a second
show('myCount:', await stats.get('myCount'));
show('all:', await stats.getAll());
show('still buffered:', stats.pending);

await stats.stop(); // writes what is left
