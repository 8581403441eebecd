// `npm start`: sets a fresh clone up, then runs `statcol listen` in this same process.
import { endWithParent } from './end-with-parent.mjs';
import { setUp } from './setup.mjs';

setUp('start');
endWithParent();
process.argv.splice(2, 0, 'listen');
await import('../dist/cli.js');
