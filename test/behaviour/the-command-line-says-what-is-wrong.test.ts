import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { OPTION_SPECS } from '../../src/option-specs.ts';
import { runStatcol, startCollector } from '../support/collector-process.ts';

const LONG = 'x:1|c\n'.repeat(10_918);

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
    [
      ['send', 'fine:1|c', LONG],
      [/^statcol: "x:1\|c\\nx.{30,50}…" has 65508 bytes: a datagram holds 65507$/],
    ],
    [['send', 'a:1|c', '--port', '0'], [/--port: expected a number from 1 to 65535, got "0"/]],
    [['get', 'a', '--layout', 'x'], [/--layout: expected flat or split, got "x"/]],
    [['get', 'a', '--http', 'nonsense'], [/--http: expected a URL/]],
  ];
  for (const [args, lines] of wrong) {
    it(`statcol ${args.join(' ').slice(0, 80)}: exit 2, a line per fault`, async () => {
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
