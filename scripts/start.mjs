// `npm start`: sets a fresh clone up, then runs `statcol listen` in this same process, so that a
// signal reaches the collector and not a shell in between.
import { setUp } from './setup.mjs';

setUp('start');
process.argv.splice(2, 0, 'listen');
await import('../dist/cli.js');
