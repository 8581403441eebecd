// The application that `middleware.ts` puts under load, in a process of its own:
// `bare`, or with the middleware (`route`, `path`, `client`). Speaks by messages.
import express from 'express';

import { Client } from '../../dist/client.js';
import { middleware } from '../../dist/express.js';
import { StatCollector } from '../../dist/index.js';

const [way = 'bare', redis = '', trapPort = '', udpPort = ''] = process.argv.slice(2);
const app = express();
if (way === 'client') {
  app.use(middleware({ client: new Client({ port: Number(udpPort) }) }));
} else if (way !== 'bare') {
  const collector = new StatCollector({
    key: way === 'path' ? 'path' : 'route',
    queryCounter: { redisConfig: redis, pushInterval: 1000 },
    responseTimer: {
      circonusConfig: { host: '127.0.0.1', port: Number(trapPort), protocol: 'http:' },
    },
  });
  app.use(collector.middleware());
}
app.get('/users/:id', (_request, response) => void response.send('hello'));
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
});
process.on('message', () => {
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000, heapBytes: process.memoryUsage().heapUsed });
});
process.on('disconnect', () => process.exit());
