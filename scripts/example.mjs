// `npm run example:<name>`: sets a fresh clone up, then runs an example in this same process.
import { endWithParent } from './end-with-parent.mjs';
import { setUp } from './setup.mjs';

setUp('start');
endWithParent();
await import(`../examples/${process.argv[2]}.js`);
