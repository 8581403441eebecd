import { expect } from 'chai';
import { describe, it } from 'mocha';

import { startCollector } from '../support/collector-process.ts';
import { startRedis } from '../support/redis-server.ts';
import { openSender } from '../support/udp.ts';

describe('counts survive a crash of Redis', () => {
  it('kill -9 under load, with its append-only file on: exact after each restart', async () => {
    const redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    const collector = await startCollector(['--redis', redis.url, '--counter-interval', '10']);
    const sender = openSender(collector.udpPort);
    let sent = 0;
    try {
      for (let crash = 0; crash < 5; crash++) {
        for (let n = 0; n < 300; n++, sent++) {
          await sender.send(`hits:1|c\nname.${n % 50}:2|c`);
          if (n === 150) await redis.kill();
        }
        await redis.restart();
      }
      await collector.until(({ counters }) => counters.delivered === 2 * sent);
      const hash = await redis.hash('statcol:stats');
      expect(hash.get('hits')).to.equal(String(sent));
      const names = [...hash].filter(([name]) => name !== 'hits');
      expect(names).to.have.length(50);
      for (const [, value] of names) expect(value).to.equal(String((2 * sent) / 50));
    } finally {
      sender.close();
      await collector.stop();
      await redis.stop();
    }
  });
});
