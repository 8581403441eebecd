import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { OPTION_SPECS } from '../../src/option-specs.ts';
import { runStatcol, startCollector } from '../support/collector-process.ts';
import { freePort, startRedis } from '../support/redis-server.ts';

describe('the command line says what is wrong', () => {
  const wrong: [args: string[], lines: RegExp[]][] = [
    [['listen', '--port', 'abc'], [/--port: expected a whole number from 0 to 65535, got "abc"/]],
    [['listen', '--port'], [/--port: expected .*, got nothing/]],
    [['listen', '--port=70000'], [/--port: .*got "70000"/]],
    [['listen', '--host', 'example.org'], [/--host: expected an IPv4 or IPv6 address/]],
    [['listen', '--layout', 'deep'], [/--layout: expected one of flat, split, got "deep"/]],
    [['listen', '--redis', 'http://u:pw@x/'], [/--redis: .*got "http:\/\/\*\*\*"/]],
    [['listen', '--collection', 'a}b'], [/--collection: .*got "a}b"/]],
    [['listen', '--trap-ca', '/no/such/file'], [/--trap-ca: expected a readable PEM file/]],
    [['listen', '--http', 'x:y'], [/--http: expected off, a port/]],
    [['listen', '--http-token', 'short'], [/--http-token: .*not shown/]],
    [
      ['listen', '--bogus', '5', '--worse'],
      [/--bogus: .*unknown/, /--worse: .*unknown/],
    ],
    [['listen', '--threads', '0'], [/--threads: expected a whole number from 1 to 64/]],
    [['listen', 'word'], [/"word": expected flags only/]],
    [
      ['listen', '--port', 'x', '--names', 'y', '--max-keys', '0'],
      [/--port/, /--names/, /--max-keys/],
    ],
    [['bogus'], [/unknown command 'bogus'/]],
    [[], [/expected a command: listen, send, incr, timing, get or stats/]],
    [['incr'], [/missing required argument 'name'/]],
    [['incr', 'a', 'x'], [/expected a number, got "x"/]],
    [['incr', 'a:b'], [/expected a name without/]],
    [['timing', 'a', '-5'], [/.+/]],
    [
      ['timing', 'a', '5', '--rate', '0'],
      [/--rate: expected a number above 0, at most 1, got "0"/],
    ],
    [['send', 'fine:1|c', 'bad'], [/"bad" would be refused: no_separator/]],
    [['send', '\n'], [/"\\n" would be refused: no_separator/]],
    [['send', 'a:1|c', '--port', '0'], [/--port: expected a number from 1 to 65535, got "0"/]],
    [['get', 'a', '--layout', 'x'], [/--layout: expected flat or split, got "x"/]],
    [['get', 'a', '--http', 'nonsense'], [/--http: expected a URL/]],
  ];
  for (const [args, lines] of wrong) {
    it(`statcol ${args.join(' ')}: exit 2, a line per fault`, async () => {
      const { code, stdout, stderr } = await runStatcol(args);
      expect(stderr.trimEnd().split('\n')).to.have.length(lines.length);
      for (const [at, line] of stderr.trimEnd().split('\n').entries()) {
        expect(line).to.match(lines[at]!);
        expect(line).to.match(/^statcol: /);
      }
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    });
  }

  it('a wrong variable of the environment is named; flags win over it', async () => {
    const bad = await runStatcol(['listen'], { STATCOL_PORT: 'abc', STATCOL_COLLECTION: 'a,b}' });
    expect(bad.stderr).to.match(
      /^statcol: STATCOL_PORT: .*"abc"\nstatcol: STATCOL_COLLECTION: .*\n$/,
    );
    expect(bad.code).to.equal(2);
    const env = { STATCOL_PORT: 'abc', STATCOL_HTTP: 'off', STATCOL_COLLECTION: 'one,two' };
    const good = await startCollector([], env);
    const counters = await good.json<Record<string, unknown>>('api/counters');
    expect(counters).to.deep.equal({ one: {}, two: {} });
    expect(await good.stop()).to.equal(0);
  });

  it('a UDP port in use: one line with the address and what to do, exit 1', async () => {
    const holder = createSocket('udp4').bind(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address();
    const { code, stdout, stderr } = await runStatcol([
      'listen',
      '--port',
      String(port),
      '--http',
      '0',
    ]);
    holder.close();
    const line = `statcol: udp 127.0.0.1:${port} is in use: stop the program that holds it, or choose another with --port\n`;
    expect({ code, stdout, stderr }).to.deep.equal({ code: 1, stdout: '', stderr: line });
  });

  it('a second collector on the same port is told so', async () => {
    const first = await startCollector();
    const args = ['listen', '--port', String(first.udpPort), '--http', '0'];
    const { code, stderr } = await runStatcol(args);
    expect(code).to.equal(1);
    expect(stderr).to.match(/is in use/);
    expect(await first.stop()).to.equal(0);
  });

  it('an HTTP port in use: the same, and the UDP port is given back', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const { code, stderr } = await runStatcol(['listen', '--port', '0', '--http', String(port)]);
    holder.close();
    expect(code).to.equal(1);
    expect(stderr).to.match(new RegExp(`http 127.0.0.1:${port} is in use: .* --http\n$`));
  });

  it('stdout holds one line per endpoint and nothing else ever', async () => {
    const collector = await startCollector(['--log-level', 'debug', '--counter-interval', '10']);
    await runStatcol(['send', 'a:1|c', '--port', String(collector.udpPort)]);
    await collector.until(({ counters }) => counters.delivered === 1);
    expect(await collector.stop()).to.equal(0);
    expect(collector.stdout()).to.match(
      /^udp:\/\/127\.0\.0\.1:\d+\nhttp:\/\/127\.0\.0\.1:\d+\/\n$/,
    );
  });

  it('flags that do nothing without another are told', async () => {
    const collector = await startCollector(['--redis-wait', '1', '--unix-mode', '0666']);
    expect(await collector.stop()).to.equal(0);
    for (const flag of ['--redis-wait', '--unix-mode']) {
      expect(collector.stderr()).to.match(new RegExp(`warn ${flag} does nothing with`));
    }
  });

  it('IPv6 endpoints, and http off', async () => {
    const collector = await startCollector(['--host', '::1', '--http', '[::1]:0']);
    expect(collector.stdout()).to.match(/^udp:\/\/\[::1\]:\d+\nhttp:\/\/\[::1\]:\d+\/\n$/);
    expect((await collector.vitals()).udp.datagrams).to.equal(0);
    expect(await collector.stop()).to.equal(0);
  });

  it('--help shows every flag with its default and an example; --version the version', async () => {
    const { code, stdout } = await runStatcol(['listen', '--help']);
    expect(code).to.equal(0);
    for (const { flag, shownDefault } of OPTION_SPECS) {
      expect(stdout).to.include(`${flag} <`);
      expect(stdout.replaceAll(/\s+/g, ' ')).to.include(`default: ${shownDefault};`);
    }
    for (const command of ['listen', 'send', 'incr', 'timing', 'get', 'stats']) {
      const help = await runStatcol([command, '--help']);
      expect(help.stdout).to.match(/Example:\n {2}\$ statcol /);
      expect(help.code).to.equal(0);
    }
    expect((await runStatcol(['--version'])).stdout).to.match(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('the other commands', () => {
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
      await collector.until(
        ({ counters, timings }) => counters.delivered === 5 && timings.delivered === 1,
      );
      for (const source of [http, ['--redis', redis.url]]) {
        const read = async (name: string): Promise<string> =>
          (await runStatcol(['get', name, ...source])).stdout;
        expect(await read('bytes')).to.equal('1024\n');
        expect(await read('api.hits;a=b')).to.equal('2\n');
        expect(await read('my counter')).to.equal('1\n');
        expect(await read('never')).to.equal('0\n');
        const table = (await runStatcol(['stats', ...source])).stdout;
        expect(table.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))).to.deep.equal([
          ...['statcol:stats', 'api.hits 1', 'api.hits;a=b 2', 'bytes 1024', 'deploys 1'],
          ...['my_counter 1', ''],
        ]);
        const text = (await runStatcol(['stats', '--json', ...source])).stdout;
        expect(JSON.parse(text)).to.deep.equal(await collector.json('api/counters'));
      }
      const timings = await collector.json<Record<string, unknown>>('api/timings');
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
