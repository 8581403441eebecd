// Lets Node load TypeScript, in worker threads too: `--import tsx` does so in the main thread only.
import { register } from 'tsx/esm/api';

register();
