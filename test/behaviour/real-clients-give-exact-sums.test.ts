import { createRequire } from 'node:module';

import { expect } from 'chai';
import { StatsD } from 'hot-shots';
import { after, before, describe, it } from 'mocha';

import { Client } from '../../src/client.ts';
import { type ClientRig, oneTo, startClientRig } from '../support/client-rig.ts';

const require = createRequire(import.meta.url);

describe('clients for Node give exact sums', () => {
  let rig: ClientRig;

  before(async () => {
    rig = await startClientRig();
  });
  after(() => rig.stop());

  /** All that hot-shots can tell, from a client with the prefix; closes it. */
  async function checkHotShots(client: StatsD, prefix: string): Promise<void> {
    for (const n of oneTo(200)) {
      client.increment('hits');
      client.increment('bytes', n, { zone: 'eu', 'host name': 'a,b' });
      client.decrement('down', 2);
      client.timing('latency', n);
      client.histogram('size', n + 0.5);
      client.distribution('spread', 1000 + n, ['b:2', 'a:1']);
      client.gauge('depth', n);
      client.gaugeDelta('depth', -0.5);
      client.gaugeDelta('open', 2);
      client.set('users', `user-${n % 7}`);
    }
    await new Promise<void>((resolve) => client.close(() => resolve()));
    const samples = { counters: 600, timings: 600, gauges: 600, sets: 200 };
    expect(await rig.received(prefix, samples)).to.deep.equal({
      counters: {
        [`${prefix}hits`]: '200',
        [`${prefix}bytes;host_name=a_b;zone=eu`]: '20100',
        [`${prefix}down`]: '-400',
      },
      timings: {
        [`${prefix}latency`]: oneTo(200),
        [`${prefix}size`]: oneTo(200).map((n) => n + 0.5),
        [`${prefix}spread|ST[a:1,b:2]`]: oneTo(200).map((n) => n + 1000),
      },
      gauges: { [`${prefix}depth`]: '199.5', [`${prefix}open`]: '400' },
      sets: { [`${prefix}users`]: 7 },
    });
  }

  const host = '127.0.0.1';
  const buffered = { maxBufferSize: 1000, bufferFlushInterval: 10 };

  it('hot-shots, buffered', async () => {
    const client = new StatsD({ host, port: rig.udpPort, prefix: 'hot.', ...buffered });
    await checkHotShots(client, 'hot.');
  });

  it('hot-shots over TCP', async () => {
    const protocol = 'tcp';
    const client = new StatsD({ host, port: rig.tcpPort, protocol, prefix: 'tcp.', ...buffered });
    await checkHotShots(client, 'tcp.');
  });

  // Its addon is compiled as it is installed, where there is a compiler; lines over a unix socket
  // from Python are in the file of other languages. What the kernel does not take at once hot-shots
  // sends later, out of order, which gauges would show: so these are six datagrams, as long as it
  // allows.
  if (isThere('unix-dgram')) {
    it('hot-shots over a unix socket', async () => {
      const more = { protocol: 'uds', prefix: 'uds.', maxBufferSize: 8192 } as const;
      await checkHotShots(new StatsD({ path: rig.unixPath, ...more }), 'uds.');
    });
  }

  for (const tcp of [false, true]) {
    it(`statsd-client${tcp ? ' over TCP' : ''}`, async () => {
      const Sdc = require('statsd-client') as new (options: object) => StatsdClient;
      const prefix = tcp ? 'sdct' : 'sdc';
      const port = tcp ? rig.tcpPort : rig.udpPort;
      // With a buffer it sends what it has twice while it connects, to whomever.
      const more = tcp ? { tcp, maxBufferSize: 0 } : { socketTimeout: 20 };
      const client = new Sdc({ host, port, prefix, tags: { zone: 'eu' }, ...more });
      for (const n of oneTo(100)) {
        client.increment('hits').decrement('down', 3).counter('bytes', n, { rack: 'r1' });
        client
          .timing('latency', n)
          .histogram('size', n / 4)
          .distribution('spread', n);
        client.gauge('depth', n).gaugeDelta('depth', -4).gaugeDelta('depth', 0.25);
        client.set('users', `user-${n % 5}`);
      }
      const samples = { counters: 300, timings: 300, gauges: 300, sets: 100 };
      expect(await rig.received(`${prefix}.`, samples)).to.deep.equal({
        counters: {
          [`${prefix}.hits;zone=eu`]: '100',
          [`${prefix}.down;zone=eu`]: '-300',
          [`${prefix}.bytes;rack=r1;zone=eu`]: '5050',
        },
        timings: {
          [`${prefix}.latency|ST[zone:eu]`]: oneTo(100),
          [`${prefix}.size|ST[zone:eu]`]: oneTo(100).map((n) => n / 4),
          [`${prefix}.spread|ST[zone:eu]`]: oneTo(100),
        },
        gauges: { [`${prefix}.depth;zone=eu`]: '96.25' },
        sets: { [`${prefix}.users;zone=eu`]: 5 },
      });
      client.close();
    });
  }

  it('node-statsd', async () => {
    const NodeStatsd = require('node-statsd') as new (options: object) => NodeStatsdClient;
    const global_tags = ['zone:eu'];
    const client = new NodeStatsd({ host, port: rig.udpPort, prefix: 'ns.', global_tags });
    for (const n of oneTo(100)) {
      client.increment(['hits', 'tries']);
      client.decrement('down', 2, ['a:1']);
      client.timing('latency', n);
      client.histogram('size', n);
      client.gauge('depth', n);
      client.gauge('depth', '+0.5');
      client.unique('users', `user-${n % 6}`);
    }
    const samples = { counters: 300, timings: 200, gauges: 200, sets: 100 };
    expect(await rig.received('ns.', samples)).to.deep.equal({
      counters: {
        'ns.hits;zone=eu': '100',
        'ns.tries;zone=eu': '100',
        'ns.down;a=1;zone=eu': '-200',
      },
      timings: {
        'ns.latency|ST[zone:eu]': oneTo(100),
        'ns.size|ST[zone:eu]': oneTo(100),
      },
      gauges: { 'ns.depth;zone=eu': '100.5' },
      sets: { 'ns.users;zone=eu': 6 },
    });
    client.close();
  });

  it('node-statsd-client', async () => {
    const { Client: Other } = require('node-statsd-client') as {
      Client: new (host: string, port: number) => NodeStatsdClientOfSpreaker;
    };
    const client = new Other(host, rig.udpPort);
    for (const n of oneTo(100)) {
      client.increment('nsc.hits');
      client.count('nsc.bytes', n);
      client.decrement('nsc.down');
      client.timing('nsc.latency', n);
      client.gauge('nsc.depth', n);
      client.set('nsc.users', n % 7);
    }
    const samples = { counters: 300, timings: 100, gauges: 100, sets: 100 };
    expect(await rig.received('nsc.', samples)).to.deep.equal({
      counters: { 'nsc.hits': '100', 'nsc.bytes': '5050', 'nsc.down': '-100' },
      timings: { 'nsc.latency': oneTo(100) },
      gauges: { 'nsc.depth': '100' },
      sets: { 'nsc.users': 7 },
    });
    client.socket.close();
  });

  it('lynx, also several metrics a datagram and its stream', async () => {
    const Lynx = require('lynx') as new (host: string, port: number, options: object) => LynxClient;
    const client = new Lynx(host, rig.udpPort, { scope: 'lynx' });
    for (const n of oneTo(100)) {
      client.increment('hits', 1); // |@1
      client.decrement(['down', 'out']);
      client.timing('latency', n / 8);
      client.gauge('depth', n);
      client.gauge('depth', '-1.5');
      client.set('users', `user-${n % 4}`);
      client.send({ sent: '2|c', queue: '+3|g', wait: `${n}|ms` });
    }
    client.write('streamed:5|c\nstreamed:6|c\n');
    const samples = { counters: 402, timings: 200, gauges: 300, sets: 100 };
    expect(await rig.received('lynx.', samples)).to.deep.equal({
      counters: {
        'lynx.hits': '100',
        'lynx.down': '-100',
        'lynx.out': '-100',
        'lynx.sent': '200',
        'lynx.streamed': '11',
      },
      timings: { 'lynx.latency': oneTo(100).map((n) => n / 8), 'lynx.wait': oneTo(100) },
      gauges: { 'lynx.depth': '98.5', 'lynx.queue': '300' },
      sets: { 'lynx.users': 4 },
    });
    client.close();
  });

  it('our own', async () => {
    const client = new Client({ port: rig.udpPort, prefix: 'own.' });
    for (const n of oneTo(100)) {
      client.incr('hits');
      client.decr('down', 3, { tags: { zone: 'eu', canary: '' } });
      client.timing('latency', n / 4);
      client.histogram('size', n);
      client.gauge('depth', n);
      client.set('users', `user-${n % 3}`);
    }
    await client.close();
    const samples = { counters: 200, timings: 200, gauges: 100, sets: 100 };
    expect(await rig.received('own.', samples)).to.deep.equal({
      counters: { 'own.hits': '100', 'own.down;canary=;zone=eu': '-300' },
      timings: { 'own.latency': oneTo(100).map((n) => n / 4), 'own.size': oneTo(100) },
      gauges: { 'own.depth': '100' },
      sets: { 'own.users': 3 },
    });
  });
});

function isThere(name: string): boolean {
  try {
    require(name);
    return true;
  } catch {
    return false;
  }
}

// What is used here of packages that have no types.

interface StatsdClient {
  increment(name: string): StatsdClient;
  decrement(name: string, delta: number): StatsdClient;
  counter(name: string, delta: number, tags: object): StatsdClient;
  timing(name: string, ms: number): StatsdClient;
  histogram(name: string, value: number): StatsdClient;
  distribution(name: string, value: number): StatsdClient;
  gauge(name: string, value: number): StatsdClient;
  gaugeDelta(name: string, delta: number): StatsdClient;
  set(name: string, member: string): StatsdClient;
  close(): void;
}

interface NodeStatsdClient {
  increment(name: string | string[]): void;
  decrement(name: string, delta: number, tags: string[]): void;
  timing(name: string, ms: number): void;
  histogram(name: string, value: number): void;
  gauge(name: string, value: number | string): void;
  unique(name: string, member: string): void;
  close(): void;
}

interface NodeStatsdClientOfSpreaker {
  increment(name: string): void;
  count(name: string, amount: number): void;
  decrement(name: string): void;
  timing(name: string, ms: number): void;
  gauge(name: string, value: number): void;
  set(name: string, member: number): void;
  readonly socket: { close(): void };
}

interface LynxClient {
  increment(name: string, rate: number): void;
  decrement(names: string[]): void;
  timing(name: string, ms: number): void;
  gauge(name: string, value: number | string): void;
  set(name: string, member: string): void;
  send(metrics: Record<string, string>): void;
  write(lines: string): void;
  close(): void;
}
