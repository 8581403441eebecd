import { readFileSync } from 'node:fs';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { runStatcol, startCollector } from '../support/collector-process.ts';
import { startRedis } from '../support/redis-server.ts';
import { sendUdp } from '../support/udp.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The commands and keys that the README names, where one Redis is spoken to. */
function listedRights(): { commands: string[]; keys: string[] } {
  const [, commands = '', keys = ''] =
    /rights of its own needs (.*?) \(and .*?markers: `(~[^`]+)`/s.exec(README) ?? [];
  return {
    commands: Array.from(commands.matchAll(/`([A-Z]+)`/g), ([, name]) => `+${name!.toLowerCase()}`),
    keys: keys.split(' '),
  };
}

describe('the listed rights are enough', () => {
  it('for counters, gauges, sets, the page, /metrics, get and stats', async () => {
    const redis = await startRedis();
    const { commands, keys } = listedRights();
    expect(commands).to.include('+eval').and.have.length.above(10);
    expect(keys).to.have.length(2);
    await redis.command('ACL', 'SETUSER', 'own', 'on', '>pw', 'resetkeys', ...keys, ...commands);
    const url = `redis://own:pw@127.0.0.1:${redis.port}`;
    const flags = ['--redis', url, '--collection', 'app:stats'];
    const collector = await startCollector([...flags, '--counter-interval', '20']);
    try {
      await sendUdp(collector.udpPort, 'c:1|c\ng:5|g\ng:+1|g\ns:x|s\ns:y|s\nt:3|ms');
      await collector.until(
        ({ counters, gauges, sets }) =>
          counters.delivered + gauges.delivered + sets.delivered === 5,
      );
      // The page watches each of them, and counts the names of what it does not watch.
      const page = new AbortController();
      const watched = new URL('api/stream?c=0:c&g=0:g&s=0:s&t=0:t&p=0:', collector.httpUrl);
      const stream = await fetch(watched, { signal: page.signal });
      const reader = stream.body!.getReader();
      let frames = '';
      while (frames.split('data: ').length < 3) {
        frames += new TextDecoder().decode((await reader.read()).value);
      }
      page.abort();
      for (const path of ['api/counters', 'api/gauges', 'api/sets', 'metrics', 'api/vitals']) {
        expect((await fetch(new URL(path, collector.httpUrl))).status, path).to.equal(200);
      }
      for (const source of [
        ['--http', collector.httpUrl],
        ['--redis', url, '--collection', 'app:stats'],
      ]) {
        for (const [name, value] of Object.entries({ c: '1', g: '6', s: '2' })) {
          const { stdout } = await runStatcol(['get', name, ...source]);
          expect(stdout, `${name} ${source[0]}`).to.equal(`${value}\n`);
        }
        const { stdout, stderr } = await runStatcol(['stats', ...source]);
        expect(stderr).to.equal('');
        expect(stdout).to.match(/app:stats sets \(unique members today, UTC\)\n {2}s {2}2\n$/);
      }
      expect(await collector.stop()).to.equal(0);
      expect(await redis.command('ACL', 'LOG')).to.deep.equal([]);
    } finally {
      collector.signal('SIGKILL');
      await redis.stop();
    }
  });
});
