import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { runStatcol, startCollector } from '../support/collector-process.ts';
import { freePort, startRedis } from '../support/redis-server.ts';

describe('what was counted is read back', () => {
  it('send, incr and timing are counted; get and stats read them back', async () => {
    const redis = await startRedis();
    const flags = ['--counter-interval', '20', '--redis', redis.url];
    const collector = await startCollector(flags);
    const target = ['--port', String(collector.udpPort)];
    const http = ['--http', collector.httpUrl];
    try {
      const sent = await runStatcol(['send', 'api.hits:1|c\n', 'api.hits:2|c|#a:b', ...target]);
      expect(sent).to.deep.equal({ code: 0, stdout: '', stderr: '' });
      await runStatcol(['incr', 'deploys', ...target]);
      await runStatcol(['incr', 'bytes', '512', '--rate', '0.5', ...target]);
      await runStatcol(['incr', 'my counter', ...target]);
      await runStatcol(['timing', 'backup', '81250', '--rate', '0.1', ...target]);
      const sets = ['all users:a|s', 'all users:b|s', 'all users:a|s', 'bytes:x|s', '[x]*:y|s'];
      await runStatcol(['send', 'bytes:7|g', 'depth:2.5|g', ...sets, ...target]);
      await collector.until(
        (vitals) => vitals.counters.delivered === 5 && vitals.timings.delivered === 1,
      );
      await collector.until((vitals) => vitals.gauges.delivered + vitals.sets.delivered === 7);
      // Of another collection, of another day, and no set at all.
      await redis.command('PFADD', 'statcol:statsX:set:no:2020-01-01', 'x');
      await redis.command('PFADD', 'statcol:stats:set:old:2020-01-01', 'x');
      const [day] = new Date().toISOString().split('T');
      await redis.command('SET', `statcol:stats:set:text:${day}`, 'x');
      for (const source of [http, ['--redis', redis.url]]) {
        const read = async (name: string): Promise<string> =>
          (await runStatcol(['get', name, ...source])).stdout;
        expect(await read('bytes')).to.equal('1024\n');
        expect(await read('api.hits;a=b')).to.equal('2\n');
        expect(await read('my counter')).to.equal('1\n');
        expect(await read('never')).to.equal('0\n');
        expect(await read('depth')).to.equal('2.5\n');
        expect(await read('all users')).to.equal('2\n');
        const table = (await runStatcol(['stats', ...source])).stdout;
        expect(table.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))).to.deep.equal([
          ...['statcol:stats', 'api.hits 1', 'api.hits;a=b 2', 'bytes 1024', 'deploys 1'],
          ...['my_counter 1', '', 'statcol:stats:gauges', 'bytes 7', 'depth 2.5', ''],
          ...[
            'statcol:stats sets (unique members today, UTC)',
            'all_users 2',
            'bytes 1',
            'x 1',
            '',
          ],
        ]);
        const text = (await runStatcol(['stats', '--json', ...source])).stdout;
        expect(JSON.parse(text)).to.deep.equal(await collector.json('api/counters'));
      }
      const timings = await collector.json<Record<string, unknown>>('api/timings');
      await redis.command('ACL', 'SETUSER', 'default', '-scan', '-hgetall');
      const refused = await runStatcol(['get', 'bytes', ...http]);
      expect(refused.code).to.equal(1);
      expect(refused.stderr).to.match(
        /^statcol: no counters from http.*: it answered 503: redis .* refuses to tell: NOPERM .*\n$/,
      );
      expect(refused.stderr).not.to.match(/is a collector running|does not answer/);
      await redis.command('ACL', 'SETUSER', 'default', '+hgetall');
      const partly = await runStatcol(['stats', '--redis', redis.url]);
      expect(partly.stdout).to.match(
        / UTC; not all: redis refuses: NOPERM .*\).*\n {2}\(none could/,
      );
      await redis.command('DEL', 'statcol:stats');
      await redis.command('SET', 'statcol:stats', 'x');
      const wrong = await runStatcol(['get', 'bytes', ...http]);
      expect([wrong.code, wrong.stdout]).to.deep.equal([1, '']);
      expect(wrong.stderr).to.match(
        /answered 503: .*: statcol:stats cannot be read: WRONGTYPE .*\n$/,
      );
      expect(timings['backup']).to.deep.include({ count: 10, min: 81250, max: 81250 });
    } finally {
      await collector.stop();
      await redis.stop();
    }
  });

  it('get and stats on the split layout', async () => {
    const redis = await startRedis();
    const split = ['--layout', 'split', '--collection', 'foo_'];
    const collector = await startCollector([
      '--counter-interval',
      '20',
      '--redis',
      redis.url,
      ...split,
    ]);
    try {
      const target = ['--port', String(collector.udpPort)];
      await runStatcol(['send', 'requests.users:3|c', 'requests.total:1|c', ...target]);
      await collector.until(({ counters }) => counters.delivered === 2);
      for (const source of [
        ['--http', collector.httpUrl],
        ['--redis', redis.url],
      ]) {
        const read = async (name: string): Promise<string> =>
          (await runStatcol(['get', name, ...source, ...split])).stdout;
        expect(await read('requests.users')).to.equal('3\n');
        expect(await read('requests.total')).to.equal('1\n');
        expect(await read('requests')).to.equal('4\n');
        const { stdout } = await runStatcol(['stats', '--json', ...source, ...split]);
        expect(JSON.parse(stdout)).to.deep.equal({
          foo_requests: { users: 3, '(total)': 1, total: 4 },
        });
      }
    } finally {
      await collector.stop();
      await redis.stop();
    }
  });

  it('a token is sent along; without it the reason is said', async () => {
    const collector = await startCollector(['--http-token', 'long-enough-token']);
    const http = ['--http', collector.httpUrl];
    const refused = await runStatcol(['get', 'a', ...http]);
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.match(
      /^statcol: http:\/\/127\.0\.0\.1:\d+ wants its token: give --http-token\n$/,
    );
    const let_in = await runStatcol(['get', 'a', ...http], {
      STATCOL_HTTP_TOKEN: 'long-enough-token',
    });
    expect(let_in).to.deep.equal({ code: 0, stdout: '0\n', stderr: '' });
    expect(await collector.stop()).to.equal(0);
  });

  it('200,000 names are printed', async () => {
    const names = Array.from({ length: 200_000 }, (_, at) => `"name${at}":${at}`).join();
    const server = createServer((request, response) => {
      response.end(request.url === '/api/counters' ? `{"all":{${names}}}` : '{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const shown = await runStatcol(['stats', '--http', `http://127.0.0.1:${port}`]);
    server.close();
    expect({ code: shown.code, stderr: shown.stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(shown.stdout.split('\n')).to.have.length(200_002);
  });

  it('somebody there who is no collector: one line, exit 1', async () => {
    const answers = ['', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html'];
    answers.push('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull');
    answers.push(
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"a":"b"}',
      'HTTP/1.1 204 No\r\n\r\n',
    );
    for (const answer of answers) {
      const server = createTcpServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => socket.end(answer));
        if (answer === '') socket.destroy();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const { code, stdout, stderr } = await runStatcol([
        'get',
        'x',
        '--http',
        `http://127.0.0.1:${port}`,
      ]);
      server.close();
      expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
      expect(stderr).to.match(/^statcol: no counters from http:.*\n$/);
    }
  });

  it('nobody there: one line, exit 1', async () => {
    const port = await freePort();
    for (const source of [
      `--http=http://127.0.0.1:${port}`,
      `--redis=redis://:pw@127.0.0.1:${port}`,
    ]) {
      const { code, stdout, stderr } = await runStatcol(['stats', source]);
      expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
      expect(stderr).to.match(/^statcol: no counters from .*ECONNREFUSED.*\n$/);
      expect(stderr).not.to.include('pw');
    }
  });
});
