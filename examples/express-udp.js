// The same, through UDP: the application only sends, a collector counts. Run it with
// `npm run example:express-udp`. PORT is 3000 unless set.
import express from 'express';
import { createCollector } from 'statcol';
import { Client } from 'statcol/client';
import { middleware } from 'statcol/express';

// Most often a process of its own: statcol listen --layout split --names keep --collection app_
const collector = createCollector({
  ...{ port: 0, http: 0, redis: process.env.REDIS_URL },
  ...{ layout: 'split', names: 'keep', collection: 'app_' },
});
const { udp, http } = await collector.start();

const client = new Client({ host: '127.0.0.1', port: Number(new URL(udp).port) });
const app = express();
app.use(middleware({ client }));

app.get('/users/:id', (request, response) => {
  setTimeout(() => response.jsend('success', { id: request.params.id }), 20);
});
app.get('/stats', async (request, response) => {
  const [counts, times] = await Promise.all(
    ['/api/counters', '/api/timings'].map(async (path) =>
      (await fetch(new URL(path, http))).json(),
    ),
  );
  response.json({ counts, times });
});

const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', (error) => {
  if (error) {
    console.error(`${error.message}: choose another port with PORT=3001`);
    process.exit(1);
  }
  const url = `http://127.0.0.1:${server.address().port}`;
  console.log(`Try ${url}/users/1 ${url}/users/2 ${url}/nowhere`);
  console.log(`and a second later ${url}/stats`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.closeIdleConnections();
    server.close(async () => {
      await client.close();
      await collector.stop();
    });
  });
}
