import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

import { type ClientRig, oneTo, startClientRig } from '../support/client-rig.ts';

const run = promisify(execFile);

describe('clients in other languages give exact sums', () => {
  let rig: ClientRig;

  before(async () => {
    rig = await startClientRig();
  });
  after(() => rig.stop());

  it('bash, through /dev/udp and /dev/tcp', async () => {
    const script = `for n in $(seq 50); do
      echo "bash.hits:1|c" > /dev/udp/127.0.0.1/$0
      echo -n "bash.latency:$n|ms" > /dev/udp/127.0.0.1/$0
      printf 'bash.depth:%d|g\\nbash.users:%d|s\\n' $n $((n % 3)) > /dev/udp/127.0.0.1/$0
      echo "bash.depth:-0.5|g" > /dev/udp/127.0.0.1/$0
    done
    for n in $(seq 50); do echo "bash.tcp:$n|c|#zone:eu"; done > /dev/tcp/127.0.0.1/$1`;
    await run('bash', ['-c', script, String(rig.udpPort), String(rig.tcpPort)]);
    const samples = { counters: 100, timings: 50, gauges: 100, sets: 50 };
    expect(await rig.received('bash.', samples)).to.deep.equal({
      counters: { 'bash.hits': '50', 'bash.tcp;zone=eu': '1275' },
      timings: { 'bash.latency': oneTo(50) },
      gauges: { 'bash.depth': '49.5' },
      sets: { 'bash.users': 3 },
    });
  });

  // Its own client for unix sockets speaks a stream, as its client for TCP does; so the one for UDP
  // is given a datagram socket.
  for (const way of ['UDP', 'TCP', 'a unix datagram socket']) {
    it(`Python's statsd over ${way}, also through its pipeline`, async () => {
      const prefix = way === 'UDP' ? 'py' : way === 'TCP' ? 'pytcp' : 'pyunix';
      const script = `
import socket, statsd, sys
way, udp, tcp, unix, prefix = sys.argv[1:]
if way == 'TCP':
    c = statsd.TCPStatsClient('127.0.0.1', int(tcp), prefix=prefix)
else:
    c = statsd.StatsClient('127.0.0.1', int(udp), prefix=prefix)
if way == 'a unix datagram socket':
    c._sock, c._addr = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), unix
for n in range(1, 101):
    c.incr('hits')
    c.timing('latency', n / 4)
    c.gauge('depth', n)
    c.gauge('depth', -0.5, delta=True)
    c.gauge('depth', 2, delta=True)
    c.set('users', 'user %d' % (n % 8))
c.gauge('below', -12.5)
with c.pipeline() as p:
    for n in range(100):
        p.incr('piped', 3)
    p.decr('down', 5)
c.close()
`;
      const { udpPort, tcpPort, unixPath } = rig;
      const args = ['-c', script, way, String(udpPort), String(tcpPort), unixPath, prefix];
      await run('/usr/bin/python3', args);
      const samples = { counters: 201, timings: 100, gauges: 302, sets: 100 };
      expect(await rig.received(`${prefix}.`, samples)).to.deep.equal({
        counters: {
          [`${prefix}.hits`]: '100',
          [`${prefix}.piped`]: '300',
          [`${prefix}.down`]: '-5',
        },
        timings: { [`${prefix}.latency`]: oneTo(100).map((n) => n / 4) },
        gauges: { [`${prefix}.depth`]: '101.5', [`${prefix}.below`]: '-12.5' },
        sets: { [`${prefix}.users`]: 8 },
      });
    });
  }

  it("Python's aiodogstatsd, with tags", async () => {
    const script = `
import aiodogstatsd, asyncio, sys
async def main():
    async with aiodogstatsd.Client(host='127.0.0.1', port=int(sys.argv[1]), namespace='aio',
                                   constant_tags={'zone': 'eu'}, read_timeout=0.02) as c:
        for n in range(1, 101):
            c.increment('hits', tags={'host name': 'a/b'})
            c.decrement('down', value=2)
            c.timing('latency', value=n)
            c.histogram('size', value=n + 0.5, tags={'app': 'größe'})
            c.distribution('spread', value=n * 1000)
            c.gauge('depth', value=n)
asyncio.run(main())
`;
    await run('/usr/bin/python3', ['-c', script, String(rig.udpPort)]);
    const samples = { counters: 200, timings: 300, gauges: 100, sets: 0 };
    expect(await rig.received('aio.', samples)).to.deep.equal({
      counters: { 'aio.hits;host_name=a-b;zone=eu': '100', 'aio.down;zone=eu': '-200' },
      timings: {
        'aio.latency|ST[zone:eu]': oneTo(100),
        'aio.size|ST[app:gre,zone:eu]': oneTo(100).map((n) => n + 0.5),
        'aio.spread|ST[zone:eu]': oneTo(100).map((n) => n * 1000),
      },
      gauges: { 'aio.depth;zone=eu': '100' },
      sets: {},
    });
  });

  it("Perl's Net::Statsd", async () => {
    const script = `
use Net::Statsd;
$Net::Statsd::HOST = '127.0.0.1';
$Net::Statsd::PORT = $ARGV[0];
for my $n (1 .. 100) {
  Net::Statsd::increment('perl.hits');
  Net::Statsd::timing('perl.latency', $n);
  Net::Statsd::gauge('perl.depth' => $n, 'perl.depth' => '+0.25', 'perl.other' => 7);
  Net::Statsd::send({ 'perl.users' => 'user-' . ($n % 6) . '|s' }, 1);
}
Net::Statsd::update_stats(['perl.bytes', 'perl.more'], 512);
Net::Statsd::decrement('perl.down');
`;
    await run('/usr/bin/perl', ['-e', script, String(rig.udpPort)]);
    const samples = { counters: 103, timings: 100, gauges: 300, sets: 100 };
    expect(await rig.received('perl.', samples)).to.deep.equal({
      counters: {
        'perl.hits': '100',
        'perl.bytes': '512',
        'perl.more': '512',
        'perl.down': '-1',
      },
      timings: { 'perl.latency': oneTo(100) },
      gauges: { 'perl.depth': '100.25', 'perl.other': '7' },
      sets: { 'perl.users': 6 },
    });
  });

  it("Ruby's statsd, one by one and in batches", async () => {
    const script = `
require 'statsd'
statsd = Statsd.new('127.0.0.1', ARGV[0].to_i).tap { |one| one.namespace = 'ruby' }
(1..100).each do |n|
  statsd.increment 'Some::Class.hits'
  statsd.decrement 'down'
  statsd.timing 'latency', n
  statsd.gauge 'depth', n
  statsd.gauge 'depth', '-0.75'
  statsd.set 'users', "user-#{n % 9}"
end
statsd.batch do |batch|
  (1..100).each do |n|
    batch.count 'batched', n
    batch.timing 'waited', n / 2.0
  end
end
`;
    await run('/usr/bin/ruby', ['-e', script, String(rig.udpPort)]);
    const samples = { counters: 300, timings: 200, gauges: 200, sets: 100 };
    expect(await rig.received('ruby.', samples)).to.deep.equal({
      counters: {
        'ruby.Some.Class.hits': '100',
        'ruby.down': '-100',
        'ruby.batched': '5050',
      },
      timings: { 'ruby.latency': oneTo(100), 'ruby.waited': oneTo(100).map((n) => n / 2) },
      gauges: { 'ruby.depth': '99.25' },
      sets: { 'ruby.users': 9 },
    });
  });
});
