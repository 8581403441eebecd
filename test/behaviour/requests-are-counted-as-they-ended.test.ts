import { connect } from 'node:net';

import { expect } from 'chai';
import { it } from 'mocha';

import { describeCollected } from '../support/collected.ts';
import { takes } from '../support/recording-trap.ts';

describeCollected('requests are counted as they ended', (rig) => {
  it('SC1 only what is configured acts', async () => {
    const app = await rig.start({ queryCounter: undefined, responseTimer: undefined });
    expect(await app.get('/a')).to.deep.equal({
      status: 200,
      text: '{"status":"success","data":{"foo":"bar"}}',
    });
    expect(await rig.collector.getAll()).to.deep.equal({});
    expect(rig.collector.vitals()).to.deep.equal({ counters: undefined, timings: undefined });
    await app.close();
    rig.collector.configureResponseTimer({ circonusConfig: rig.trapConfig() });
    await rig.start({ queryCounter: undefined });
    await rig.web.get('/b');
    await rig.hash('requestTotal');
    expect(await rig.redis.command('KEYS', '*')).to.deep.equal([]);
    expect([...rig.trap.values().keys()]).to.deep.equal(['/b']);
  });

  it('SC2 the hashes and fields are those of the seed', async () => {
    const app = await rig.start({ key: 'path', responseTimer: undefined });
    for (const path of ['/a', '/a?status=FAIL', '/b', '/a?status=ok', '/twice']) {
      await app.get(path);
    }
    const gone = connect(app.port, '127.0.0.1');
    gone.write('GET /never HTTP/1.1\r\nHost: x\r\n\r\n');
    while (rig.collector.vitals().counters!.samples < 5 * 3 + 2 + 1) await turn();
    gone.destroy();
    expect(await rig.hash('requestTotal')).to.deep.equal({
      ...{ '/a': '3', '/b': '1', '/never': '1', '/twice': '1', total: '6' },
    });
    expect(await rig.hash('responseTotal')).to.deep.equal({
      ...{ '/a': '3', '/b': '1', '/never': '0', '/twice': '1', total: '5' },
    });
    const zeros = { '/a': '0', '/b': '0', '/never': '0', '/twice': '0', total: '0' };
    expect(await rig.hash('success')).to.deep.equal({ ...zeros, '/a': '1', total: '1' });
    expect(await rig.hash('fail')).to.deep.equal({ ...zeros, '/a': '1', total: '1' });
    expect(await rig.hash('error')).to.deep.equal(zeros);
    expect(await rig.hash('aborted')).to.deep.equal({ '/never': '1', total: '1' });
  });

  it('SC2 five hashes are there at once, with a total of 0', async () => {
    await rig.start({ responseTimer: undefined });
    while ((await rig.redis.command('EXISTS', 'foo_fail')) === 0);
    for (const kind of ['requestTotal', 'responseTotal', 'success', 'error', 'fail']) {
      expect(await rig.redis.hash(`foo_${kind}`), kind).to.deep.equal(new Map([['total', '0']]));
    }
  });

  it('SC3 total is the sum of the URIs', async () => {
    const app = await rig.start();
    const paths = ['/a', '/a?status=error', '/b', '/users/1', '/users/2', '/none', '/twice'];
    await Promise.all(paths.map((path) => app.get(path)));
    for (const kind of ['requestTotal', 'responseTotal', 'success', 'error', '2xx', '4xx']) {
      const { total, ...uris } = await rig.hash(kind);
      const sum = Object.values(uris).reduce((all, one) => all + Number(one), 0);
      expect(Number(total), kind).to.equal(sum);
    }
    expect((await rig.hash('requestTotal'))['total']).to.equal('7');
  });

  it('SC4 jsend sends status and data as given, and counts in whatever case', async () => {
    const app = await rig.start();
    for (const status of ['success', 'Error', 'FAIL', 'fail']) {
      const { text } = await app.get(`/a?status=${status}`);
      expect(text).to.equal(`{"status":"${status}","data":{"foo":"bar"}}`);
    }
    expect((await rig.hash('success'))['/a']).to.equal('1');
    expect((await rig.hash('error'))['/a']).to.equal('1');
    expect((await rig.hash('fail'))['/a']).to.equal('2');
  });

  it('SC5 a plain end or send counts as a response alone', async () => {
    const app = await rig.start();
    await app.get('/b');
    await app.get('/users/1');
    expect(await rig.hash('responseTotal')).to.include({ '/b': '1', '/users/:id': '1' });
    for (const kind of ['success', 'error', 'fail']) {
      expect((await rig.hash(kind))['total'], kind).to.equal('0');
    }
  });

  it('SC6 the query is no part of the key', async () => {
    const app = await rig.start({ key: 'path' });
    await app.get('/b?x=1');
    await app.get('/b?x=2#y');
    expect(await rig.hash('requestTotal')).to.deep.equal({ '/b': '2', total: '2' });
  });

  it('SC7 times are pushed by PUT to the path, whole milliseconds, each once', async () => {
    const app = await rig.start({ queryCounter: undefined });
    await app.get('/b');
    await rig.trap.received(1);
    await app.get('/b');
    await app.get('/users/7');
    await rig.hash('requestTotal');
    expect(rig.trap.submissions.length).to.be.at.least(2);
    for (const { method, url, text } of rig.trap.submissions) {
      expect([method, url]).to.deep.equal(['PUT', '/module/httptrap/check/secret']);
      expect(text).to.match(/^\{("[^"]+":\{"_type":"n","_value":\[\d+(,\d+)*\]\},?)+\}$/);
    }
    const values = rig.trap.values();
    expect([...values.keys()].toSorted()).to.deep.equal(['/b', '/users/:id']);
    expect(values.get('/b')).to.have.length(2);
  });

  it('SC8 registerURI makes the fields before there are requests', async () => {
    await rig.start();
    rig.collector.registerURI('/soon');
    for (const kind of ['requestTotal', 'responseTotal', 'success', 'error', 'fail']) {
      expect(await rig.hash(kind), kind).to.deep.equal({ '/soon': '0', total: '0' });
    }
  });

  it('SC9 without a prefix the hashes have their bare names', async () => {
    const app = await rig.start({ queryCounter: { redisConfig: rig.redis.url } });
    await app.get('/b');
    await rig.hash('requestTotal');
    expect(await rig.redis.hash('requestTotal')).to.deep.equal(
      new Map(Object.entries({ total: '1', '/b': '1' })),
    );
  });

  it('SC9 the interval is a gap: it begins when a push has ended', async () => {
    const [intervalMs, answerMs] = [30, 150];
    const [arrivals, answers]: [number[], number[]] = [[], []];
    rig.trap.behave((response, submission) => {
      arrivals.push(performance.now());
      setTimeout(() => {
        answers.push(performance.now());
        takes(response, submission);
      }, answerMs);
    });
    const responseTimer = { circonusConfig: rig.trapConfig(), pushInterval: intervalMs };
    const app = await rig.start({ queryCounter: undefined, responseTimer });
    while (arrivals.length < 4) await app.get('/b');
    for (const [at, answered] of answers.slice(0, 3).entries()) {
      expect(arrivals[at + 1]! - answered).to.be.at.least(intervalMs - 1);
    }
    rig.trap.behave(takes);
  });

  it('SC10 every value is a plain integer', async () => {
    const app = await rig.start();
    await Promise.all(['/a', '/b', '/none', '/users/5'].map((path) => app.get(path)));
    await rig.hash('requestTotal');
    const keys = (await rig.redis.command('KEYS', 'foo_*')) as string[];
    expect(keys).to.have.length(5 + 2);
    for (const key of keys) {
      for (const [field, value] of await rig.redis.hash(key)) {
        expect(value, `${key} ${field}`).to.match(/^-?\d+$/);
      }
    }
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
