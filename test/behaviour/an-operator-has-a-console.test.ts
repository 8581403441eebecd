import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';

import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

import type { Vitals } from '../../src/vitals.ts';
import { askAdmin } from '../support/admin.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { freePort, type RedisServer, startRedis } from '../support/redis-server.ts';
import { startReference } from '../support/reference-statsd.ts';
import { openTcp } from '../support/tcp.ts';
import { sendUdp } from '../support/udp.ts';

describe('an operator has a console', () => {
  let collector: CollectorProcess;

  before(async () => {
    const flags = ['--admin', '0', '--counter-interval', '600000', '--http-token', 'SECRETSECRET'];
    collector = await startCollector([...flags, '--trap-secret', 'SECRET', '--collection', 'a,b'], {
      STATCOL_TCP: '0',
    });
  });
  after(async () => {
    collector.signal('SIGKILL');
    await collector.exited();
  });

  function ask(...lines: string[]): Promise<string> {
    return askAdmin(collector.adminPort, ...lines);
  }

  async function get<Body>(path: string): Promise<Body> {
    const headers = { authorization: 'Bearer SECRETSECRET' };
    return (await (await fetch(new URL(path, collector.httpUrl), { headers })).json()) as Body;
  }

  it('whose endpoint is told between those of lines and that of HTTP', () => {
    const loopback = String.raw`127\.0\.0\.1:\d+`;
    expect(collector.stdout()).to.match(
      new RegExp(
        `^udp://${loopback}\ntcp://${loopback}\nadmin://${loopback}\nhttp://${loopback}/\n$`,
      ),
    );
  });

  it('answers what statsd answers, to the byte, where both have the same to say', async () => {
    const adminPort = await freePort();
    const reference = await startReference(adminPort);
    try {
      const both = async (line: string): Promise<string[]> =>
        Promise.all([ask(line), askAdmin(adminPort, line)]);
      const lines = ['api.b:2|c', 'api.a:1|c', 'other:7|c', 'g.x:2.5|g', 't.x:3|ms', 'bad'];
      for (const line of lines) {
        await Promise.all([collector.udpPort, reference.port].map((port) => sendUdp(port, line)));
      }
      while (!(await askAdmin(adminPort, 'stats')).includes('bad_lines_seen: 1'));
      for (const line of [
        ...['help', 'health', 'health down', 'health', 'health sideways', 'health UP', 'quit'],
        ...['HELP', 'nonsense', 'get api.a', 'delsets x'],
        ...['delcounters', 'delcounters none api.c.* *', 'deltimers none.*', 'delgauges api.a'],
        ...[
          'delcounters api.a api.a',
          'delcounters oth* oth.* .*',
          'delcounters api.* other api.b',
        ],
        ...['delgauges g.x', 'delgauges g.x', 'deltimers t.* t.x'],
      ]) {
        const [ours, theirs] = await both(line);
        expect(ours, line).to.equal(theirs);
      }
      for (const line of ['gauges', 'timers']) {
        const [ours, theirs] = await both(line);
        expect([ours, theirs], line).to.deep.equal(Array(2).fill('{}\nEND\n\n'));
      }
      const [ours, theirs] = await both('stats');
      for (const text of [ours, theirs]) {
        expect(text).to.match(
          /^uptime: \d+\nmessages\.last_msg_seen: \d+\nmessages\.bad_lines_seen: 1\n(?:\w+\.\w+: [\d.]+\n)*END\n\n$/,
        );
      }
      await Promise.all(
        [collector.udpPort, reference.port].map((port) => sendUdp(port, 'n.x:7|g')),
      );
      const shown = async (port: number): Promise<unknown> => {
        const [object, ...end] = (await askAdmin(port, 'gauges')).split('\n');
        expect(end).to.deep.equal(['END', '', '']);
        return { ...(runInNewContext(`(${object})`) as object) };
      };
      while ((await askAdmin(adminPort, 'gauges')).startsWith('{}'));
      await ask('delcounters'); // what was sent before it is counted
      expect(await shown(collector.adminPort)).to.deep.equal(await shown(adminPort));
    } finally {
      reference.kill();
      await reference.gone();
    }
  });

  it('is well in the eyes of the check that comes with statsd', async () => {
    const check = fileURLToPath(
      new URL('../../node_modules/statsd/utils/check_statsd_health', import.meta.url),
    );
    const where = ['-H', '127.0.0.1', '-P', String(collector.adminPort)];
    // It pipes `health` and an empty line into nc, which need not be there. It comes with CRs.
    const nc = `nc() { exec 3<>"/dev/tcp/$1/$2"; cat >&3; echo quit >&3; cat <&3; }`;
    const source = `${nc}\n${readFileSync(check, 'utf8').replaceAll('\r', '')}`;
    const child = spawn('bash', ['-c', source, 'check', ...where]);
    let said = '';
    child.stdout.on('data', (data: Buffer) => (said += data.toString()));
    const [code] = (await once(child, 'close')) as [number];
    const told = `Statsd '127.0.0.1:${collector.adminPort}' responded: 'health: up'\n`;
    expect([code, said]).to.deep.equal([0, told]);
    expect(await ask('health', '')).to.equal('health: up\n');
  });

  it('deletes what was sent before, and counts from 0 what comes then; all is accounted for', async () => {
    const counted = async (): Promise<unknown> =>
      (await ask('delcounters none', 'counters')).split('\n')[3];
    for (let round = 0; round < 20; round++) {
      await sendUdp(collector.udpPort, 'x.hits:3|c\nx.part:0.75|c\nx.big:9007199254740991|c');
      expect(await ask('delcounters x.hits x.*')).to.equal(
        'deleted: x.hits\ndeleted: x.part\ndeleted: x.big\nEND\n\n',
      );
    }
    expect(await counted()).to.equal('{}');
    await sendUdp(collector.udpPort, 'x.hits:1|c\nx.part:0.75|c\nx.big:9007199254740991|c');
    await counted();
    await sendUdp(collector.udpPort, 'x.big:9007199254740991|c');
    expect(await counted()).to.equal('{"x.hits":1,"x.part":0,"x.big":18014398509481982}');
    const both = await get<Record<string, object>>('api/counters');
    expect(both['a']).to.deep.equal(both['b']);
    const { counters, samples } = await get<Vitals>('api/vitals');
    expect(samples.counters).to.equal(counters.delivered);
    expect(counters).to.deep.include({ recovered: 0, pending: 0, dropped: {} });
  });

  it('takes it out of service and puts it back; /healthz says who did that', async () => {
    await ask('health down');
    const response = await fetch(new URL('healthz', collector.httpUrl));
    expect(response.status).to.equal(503);
    const { reasons } = (await response.json()) as { reasons: string[] };
    expect(reasons).to.have.length(1);
    expect(reasons[0]).to.match(
      /^127\.0\.0\.1:\d+ said "health down" at the admin console \d s ago: say "health up" there/,
    );
    await ask('health up');
    expect((await fetch(new URL('healthz', collector.httpUrl))).status).to.equal(200);
  });

  it('shows timers as the API does, and the options without secrets', async () => {
    await sendUdp(collector.udpPort, 'lat.a:5|ms\nlat.b:7:9|ms');
    await ask('deltimers lat.a'); // what was sent before it is there
    const [object] = (await ask('timers')).split('\n');
    expect(JSON.parse(object!)).to.deep.equal(await get('api/timings'));
    expect(Object.keys(JSON.parse(object!) as object)).to.deep.equal(['lat.b']);
    const config = await ask('config');
    expect(config)
      .to.match(/^(?:\w+: .+\n)+$/)
      .and.not.include('SECRET');
    expect(config).to.include(`port: ${collector.udpPort}\n`).and.include('collection: a,b\n');
    expect(config).to.include(`admin: 127.0.0.1:${collector.adminPort}\n`);
  });

  it('survives resets, and does not keep the process from stopping', async () => {
    for (let at = 0; at < 5; at++) {
      const peer = await openTcp(collector.adminPort);
      await peer.write('stats\nhelp\ncounters\ndelcounters x.');
      await peer.reset();
    }
    const idle = await openTcp(collector.adminPort);
    await idle.write('stats\nhea');
    expect(await ask('health')).to.equal('health: up\n');
    expect(await collector.stop()).to.equal(0);
    await idle.closed;
  });

  describe('where counts are everybody’s', () => {
    let redis: RedisServer;
    before(async () => void (redis = await startRedis()));
    after(() => redis.stop());

    it('shows them and deletes nothing; it is well while Redis is away', async () => {
      const port = await freePort();
      const flags = ['--admin', `[::]:${port}`, '--redis', redis.url, '--layout', 'split'];
      const one = await startCollector([
        ...flags,
        '--counter-interval',
        '20',
        '--collection',
        'foo_',
      ]);
      try {
        expect(one.stdout()).to.include(`admin://[::]:${port}\n`);
        expect(one.stderr()).to.include(`--admin [::]:${port} can be reached from elsewhere`);
        await sendUdp(one.udpPort, 'a.b.c:3|c\na.total:1|c\nbare:2|c\na:4|c\ndepth:1.5|g');
        await one.until(({ counters, gauges }) => counters.delivered + gauges.delivered === 5);
        await redis.command('HINCRBY', 'foo_a', 'b.c', '9007199254740993');
        await redis.command('HINCRBY', 'foo_a', 'total', '9007199254740993');
        const [counters, end] = (await askAdmin(port, 'counters')).split('\n');
        expect(end).to.equal('END');
        expect(counters).to.equal('{"a":4,"a.b.c":9007199254740996,"a.total":1,"bare":2}');
        const answer = await askAdmin(
          port,
          'gauges',
          'delcounters a.*',
          'delgauges x',
          'deltimers x',
        );
        expect(answer).to.equal('{"depth":1.5}\nEND\n\nERROR\nERROR\nERROR\n');
        await redis.kill();
        await one.until(({ store }) => !store.up);
        expect(await askAdmin(port, 'counters', 'health')).to.equal('ERROR\nhealth: up\n');
        expect(await askAdmin(port, 'stats')).to.match(/\nredis\.last_exception: \d\n/);
      } finally {
        one.signal('SIGKILL');
        await one.exited();
      }
    });
  });
});
