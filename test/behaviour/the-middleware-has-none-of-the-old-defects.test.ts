import { expect } from 'chai';
import { it } from 'mocha';

import { describeCollected } from '../support/collected.ts';
import { takes } from '../support/recording-trap.ts';

describeCollected('nothing of the original’s defects is left', (rig) => {
  it('SC!2 a status that JSend does not know is sent, and counts as a response', async () => {
    const app = await rig.start();
    const answers = await Promise.all([app.get('/a?status=ok'), app.get('/a?status=a&status=b')]);
    expect(answers.map(({ text }) => JSON.parse(text) as unknown)).to.deep.equal([
      { status: 'ok', data: { foo: 'bar' } },
      { status: ['a', 'b'], data: { foo: 'bar' } },
    ]);
    expect((await rig.hash('responseTotal'))['/a']).to.equal('2');
    expect((await rig.hash('success'))['total']).to.equal('0');
  });

  it('SC!5 many paths without a route leave room for routes', async () => {
    const app = await rig.start({ maxKeys: 6, responseTimer: undefined });
    const options = { method: 'OPTIONS' };
    for (let at = 0; at < 10; at++) await app.get(`/users/${at}`, options);
    await app.get('/users/1');
    await app.get('/b');
    const fields = await rig.hash('requestTotal');
    expect(fields).to.include({ '/users/:id': '1', '/b': '1', total: '12' });
  });

  it('SC!2 a jsend that was not sent is not counted, and what was sent is', async () => {
    const app = await rig.start();
    expect(await app.get('/fails-twice')).to.deep.equal({
      status: 200,
      text: '{"status":"success"}',
    });
    expect((await app.get('/circular')).status).to.equal(500);
    expect(await rig.hash('success')).to.include({ '/fails-twice': '1', '/circular': '0' });
    expect((await rig.hash('error'))['total']).to.equal('0');
    expect((await rig.hash('5xx'))['total']).to.equal('1');
  });

  it('SC!3 two calls of end are one response', async () => {
    const app = await rig.start();
    await app.get('/twice');
    expect(await rig.hash('responseTotal')).to.deep.equal({ '/twice': '1', total: '1' });
    expect(rig.trap.values().get('/twice')).to.have.length(1);
  });

  it('SC!4 stop delivers what is left, long before the interval', async () => {
    const app = await rig.start();
    await app.get('/b');
    expect(await rig.hash('2xx')).to.deep.equal({ '/b': '1', total: '1' });
    expect([...rig.trap.values().keys()]).to.deep.equal(['/b']);
  });

  it('SC!5 a route is one key; too many keys, or too long ones, are one as well', async () => {
    const app = await rig.start({ maxKeys: 3, responseTimer: undefined });
    for (const id of [1, 2, 3]) await app.get(`/users/${id}`);
    await Promise.all(Array.from({ length: 30 }, (_, at) => app.get(`/none/${at}`)));
    for (const path of ['/a', '/b', '/twice']) await app.get(path);
    expect(await rig.hash('requestTotal')).to.deep.equal({
      ...{ '/users/:id': '3', '(unmatched)': '30', '/a': '1', '(other)': '2', total: '36' },
    });
  });

  it('SC!5 with paths as keys, as many paths as a client can think of are one', async () => {
    const app = await rig.start({ maxKeys: 2, key: 'path', responseTimer: undefined });
    await app.get(`/${'x'.repeat(500)}`);
    for (const path of ['/1', '/2', '/3']) await app.get(path);
    expect(await rig.hash('requestTotal')).to.deep.equal({
      ...{ '/1': '1', '(other)': '3', total: '4' },
    });
  });

  it('SC!6 the length of a push is in bytes', async () => {
    const app = await rig.start();
    await app.get('/coffee');
    await rig.hash('requestTotal');
    const [{ headers, text }] = rig.trap.submissions as [(typeof rig.trap.submissions)[0]];
    expect(text).to.include('%C3%A9');
    expect(headers['content-length']).to.equal(String(Buffer.byteLength(text)));
  });

  it('SC!7 what has not changed is not written again', async () => {
    const app = await rig.start({
      queryCounter: { redisConfig: rig.redis.url, statPrefix: 'foo_', pushInterval: 10 },
      responseTimer: { circonusConfig: rig.trapConfig(), pushInterval: 10 },
    });
    await app.get('/b');
    while (rig.collector.vitals().counters!.pending + rig.trap.submissions.length !== 1)
      await turn();
    const before = await calls();
    const ticks = 10;
    await new Promise((resolve) => setTimeout(resolve, ticks * 10)); // that many pushes are due
    expect(await calls()).to.equal(before);
    expect(rig.trap.submissions).to.have.length(1);
  });

  /** How many scripts Redis has run. */
  async function calls(): Promise<string | undefined> {
    const stats = (await rig.redis.command('INFO', 'commandstats')) as string;
    return /cmdstat_eval:calls=(\d+)/.exec(stats)?.[1];
  }

  it('SC!8 a trap that does not answer holds nothing up, and what it has not taken is kept', async () => {
    rig.trap.behave(() => {});
    const app = await rig.start({ stopTimeout: 300 });
    await app.get('/b');
    await rig.trap.received(1);
    await app.get('/b');
    await app.idle();
    expect(await rig.collector.stop()).to.deep.equal({ counters: 0, timings: 2 });
    rig.trap.behave(takes);
  });

  it('SC!9 a trap may be local, over plain http', async () => {
    const app = await rig.start({ responseTimer: { circonusConfig: rig.trapConfig() } });
    await app.get('/b');
    await rig.trap.received(1);
    expect(rig.trap.submissions[0]!.url).to.equal('/module/httptrap/check/secret');
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
