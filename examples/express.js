// An Express application that counts its requests and times its responses. Run it with
// `npm run example:express`, counting in memory; or, with a Redis,
// `REDIS_URL=redis://127.0.0.1:6379 npm run example:express`. PORT is 3000 unless set.
import express from 'express';
import { createCollector, StatCollector } from 'statcol';

// Where the times go: any HTTP trap. Here a collector within this very process takes them.
const collector = createCollector({ port: 0, http: 0, trapSecret: 's3cret' });
const trap = new URL((await collector.start()).http);

const statCollector = new StatCollector({
  queryCounter: { redisConfig: process.env.REDIS_URL, statPrefix: 'app_', pushInterval: 1000 },
  responseTimer: {
    circonusConfig: {
      protocol: 'http:',
      host: trap.hostname,
      port: trap.port,
      path: '/module/httptrap/8b2f7c52-5f0a-4d3e-9a51-0b6f9a1c2d3e/s3cret',
    },
  },
});

const app = express();
app.use(statCollector.middleware());

app.get('/users/:id', (request, response) => {
  // Most are fast, every third takes its time: two humps, which an average would hide.
  const ms = Number(request.params.id) % 3 === 0 ? 200 : 20;
  setTimeout(() => response.jsend('success', { id: request.params.id }), ms);
});
app.get('/broken', (request, response) => {
  response.status(500).jsend('error', 'on purpose');
});
app.get('/stats', async (request, response) => {
  const times = await fetch(new URL('/api/timings', trap));
  response.json({ counts: await statCollector.getAll(), times: await times.json() });
});

const server = app.listen(process.env.PORT ?? 3000, '127.0.0.1', (error) => {
  if (error) {
    console.error(`${error.message}: choose another port with PORT=3001`);
    process.exit(1);
  }
  const url = `http://127.0.0.1:${server.address().port}`;
  console.log(`Try ${url}/users/1 ${url}/users/3 ${url}/broken ${url}/nowhere`);
  console.log(`and a second later ${url}/stats`);
});

// Before the process ends by a signal, what is left is delivered.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.closeIdleConnections();
    server.close(async () => {
      await statCollector.stop();
      await collector.stop();
    });
  });
}
