import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import dns from 'node:dns';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import sinon from 'sinon';
import { Client, type ClientOptions } from '../src/client.ts';

describe('The client', () => {
  let receiver: Receiver;
  beforeEach(async () => (receiver = await receive()));
  afterEach(() => receiver.close());

  describe('writes the line of', () => {
    const tags = { zone: 'eu', flag: true, n: 7, bare: '' };
    const odd = { 'k:|': 'a,b\n' };
    const both = { rate: 0.1, tags: { k: 'v' } };
    const table: [call: string, use: (client: Client) => void, lines: string[]][] = [
      ['incr', (client) => client.incr('hits'), ['hits:1|c']],
      ['incr with a count', (client) => client.incr('hits', 0.25), ['hits:0.25|c']],
      ['decr', (client) => client.decr('open'), ['open:-1|c']],
      ['decr with a count', (client) => client.decr('open', -3), ['open:3|c']],
      ['timing', (client) => client.timing('db', 12.5), ['db:12.5|ms']],
      ['histogram', (client) => client.histogram('size', 9), ['size:9|h']],
      ['gauge', (client) => client.gauge('depth', 3), ['depth:3|g']],
      ['a negative gauge', (client) => client.gauge('t', -5), ['t:0|g', 't:-5|g']],
      ['set', (client) => client.set('users', 'u7'), ['users:u7|s']],
      ['set with a number', (client) => client.set('users', 7), ['users:7|s']],
      ['a rate', (client) => client.incr('a', 1, { rate: 0.5 }), ['a:1|c|@0.5']],
      ['a rate of 1', (client) => client.timing('a', 1, { rate: 1 }), ['a:1|ms']],
      ['tags', (client) => client.incr('a', 1, { tags }), ['a:1|c|#zone:eu,flag:true,n:7,bare']],
      ['both', (client) => client.timing('a', 2, both), ['a:2|ms|@0.1|#k:v']],
      ['a name that a line cannot carry', (client) => client.incr('a:b|c\nd'), ['a_b_c_d:1|c']],
      ['such a member', (client) => client.set('a', 'x|y\nz'), ['a:x_y_z|s']],
      ['such tags', (client) => client.incr('a', 1, { tags: odd }), ['a:1|c|#k__:a_b_']],
    ];
    for (const [call, use, lines] of table) {
      it(call, async () => {
        const client = receiver.client({ random: () => 0 });
        use(client);
        await client.close();
        expect(await receiver.lines(lines.length)).to.deep.equal(lines);
        expect(client.dropped).to.equal(0);
      });
    }

    it('a prefix and tags of its own, which a call’s come on top of', async () => {
      const client = receiver.client({ prefix: 'api.', tags: { zone: 'eu', host: 'a' } });
      client.incr('hits');
      client.incr('hits', 2, { tags: { host: 'b', x: 1 } });
      await client.close();
      expect(await receiver.lines(2)).to.deep.equal([
        'api.hits:1|c|#zone:eu,host:a',
        'api.hits:2|c|#zone:eu,host:b,x:1',
      ]);
    });
  });

  it('sends the share of calls that a rate asks for, as its random number decides', async () => {
    const randoms = [0.1, 0.29999, 0.3, 0.9];
    const client = receiver.client({ random: () => randoms.shift()! });
    for (let call = 1; call <= 4; call++) client.incr('a', call, { rate: 0.3 });
    client.incr('all', 5);
    await client.close();
    expect(await receiver.lines(3)).to.deep.equal(['a:1|c|@0.3', 'a:2|c|@0.3', 'all:5|c']);
    expect(client.dropped).to.equal(0);
  });

  it('sends both lines of a negative gauge in one datagram, or neither', async () => {
    const randoms = [0.9, 0.1];
    const client = receiver.client({ random: () => randoms.shift()! });
    for (const value of [-1, -2]) client.gauge('g', value, { rate: 0.5 });
    await client.close();
    await receiver.lines(2);
    expect(receiver.datagrams).to.deep.equal(['g:0|g|@0.5\ng:-2|g|@0.5']);
  });

  it('gathers lines of 20 ms into one datagram', async () => {
    const client = receiver.client();
    for (let at = 0; at < 20; at++) client.incr(`n${at}`);
    expect(await receiver.lines(20)).to.have.length(20);
    expect(receiver.datagrams).to.have.length(1);
    await client.close();
  });

  it('never sends more than 1,432 bytes at once, and no line in two parts', async () => {
    const client = receiver.client();
    const sent = Array.from({ length: 400 }, (_, at) => `${'é'.repeat(at % 60)}n${at}`);
    for (const name of sent) client.incr(name);
    await client.close();
    expect(await receiver.lines(400)).to.have.members(sent.map((name) => `${name}:1|c`));
    for (const datagram of receiver.datagrams) {
      expect(Buffer.byteLength(datagram)).to.be.at.most(1432);
    }
    const bytes = receiver.datagrams.reduce((sum, one) => sum + Buffer.byteLength(one), 0);
    expect(receiver.datagrams.length).to.be.at.most(Math.ceil(bytes / (1432 - 130)));
  });

  it('sends a line of exactly 1,432 bytes, and drops one of a byte more', async () => {
    const client = receiver.client();
    const longest = 'n'.repeat(1432 - ':1|c'.length);
    client.incr(`${longest}n`);
    client.incr(longest);
    client.incr('after');
    await client.close();
    expect(await receiver.lines(2)).to.have.members([`${longest}:1|c`, 'after:1|c']);
    expect(client.dropped).to.equal(1);
  });

  it('counts what cannot be sent in dropped, and sends none of it', async () => {
    const client = receiver.client({ random: () => 0 });
    for (const value of [NaN, Infinity, -Infinity]) {
      client.incr('a', value);
      client.decr('a', value);
      client.timing('a', value);
      client.gauge('a', value);
      client.histogram('a', value);
    }
    for (const rate of [0, -1, 1.5, NaN, Infinity]) client.incr('a', 1, { rate });
    client.set('a', '');
    expect(client.dropped).to.equal(21);
    client.incr('good');
    await client.close();
    client.incr('late');
    expect(client.dropped).to.equal(22);
    expect(await receiver.lines(1)).to.deep.equal(['good:1|c']);
  });

  it('drops a set’s member for a rate outside (0, 1] as well', async () => {
    const client = receiver.client();
    for (const rate of [0, 2, NaN]) client.set('a', 'x', { rate });
    await client.close();
    expect(client.dropped).to.equal(3);
  });

  describe('timed', () => {
    it('times what is asynchronous to its end, and passes on what it gives', async () => {
      const client = receiver.client();
      const clock = sinon.stub(performance, 'now').returns(1000);
      let end: (result: string) => void;
      const work = client.timed('db', () => new Promise<string>((resolve) => (end = resolve)));
      client.incr('meanwhile');
      clock.returns(1032.5);
      end!('done');
      expect(await work).to.equal('done');
      clock.restore();
      await client.close();
      expect(await receiver.lines(2)).to.deep.equal(['meanwhile:1|c', 'db:32.5|ms']);
    });

    it('counts what returns, throws and rejects, and passes that on', async () => {
      const client = receiver.client();
      const fault = new Error('fault');
      const fail = sinon.stub().throws(fault);
      expect(client.timed('sync', () => 7)).to.equal(7);
      expect(() => client.timed('a', fail, { tags: { k: 1 } })).to.throw(fault);
      const rejected = client.timed('b', () => Promise.reject(fault));
      expect(await rejected.catch((error: unknown) => error)).to.equal(fault);
      await client.close();
      const lines = await receiver.lines(3);
      expect(lines[0]).to.match(/^sync:\d+(\.\d+)?(e-\d+)?\|ms$/);
      expect(lines[1]).to.match(/^a:.+\|ms\|#k:1$/);
      expect(lines[2]).to.match(/^b:.+\|ms$/);
    });
  });

  describe('close', () => {
    it('may be called at any time and again', async () => {
      await receiver.client().close();
      const client = receiver.client();
      client.incr('a');
      await client.close();
      await client.close();
      expect(await receiver.lines(1)).to.deep.equal(['a:1|c']);
    });

    it('resolves for everyone who calls it at once', async () => {
      const client = receiver.client();
      client.incr('a');
      const closed: number[] = [];
      for (const caller of [1, 2]) void client.close().then(() => closed.push(caller));
      await receiver.lines(1);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(closed.toSorted()).to.deep.equal([1, 2]);
    });
  });

  describe('when the network is of no use', () => {
    it('does not mind a closed port', async () => {
      const { port } = receiver;
      receiver.close();
      const client = new Client({ port });
      for (let turn = 0; turn < 5; turn++) {
        client.incr('a'.repeat(1400));
        client.incr('b'.repeat(1400));
      }
      await client.close();
      expect(client.dropped).to.equal(0);
    });

    for (const [what, error, received] of [
      ['does not mind a host that cannot be found', new Error('ENOTFOUND'), 0],
      ['looks a name up once, not per call or datagram', null, 10],
    ] as const) {
      it(what, async () => {
        const stub = sinon.stub(dns, 'lookup');
        stub.callsFake(((...[, , found]: LookupArguments) => {
          setImmediate(found, error, '127.0.0.1', 4);
        }) as never);
        syncBuiltinESMExports();
        try {
          const client = receiver.client({ host: 'stats.invalid' });
          for (let turn = 0; turn < 10; turn++) client.incr(`${turn}`.repeat(1000));
          await client.close();
          expect(await receiver.lines(received)).to.have.length(received);
          expect(stub.callCount).to.equal(1);
        } finally {
          stub.restore();
          syncBuiltinESMExports();
        }
      });
    }
  });

  it('refuses options that are a mistake in the program', () => {
    const wrong = [{ host: '' }, { host: 5 }, { port: 0 }, { port: 65_536 }, { port: 1.5 }];
    for (const options of [...wrong, { port: '8125' }]) {
      const make = (): Client => new Client(options as never);
      expect(make).to.throw(TypeError, /^Expected `(host|port)` to be/);
    }
  });

  describe('in a process of its own', () => {
    it('does not keep it alive, and still sends when it ends naturally', async () => {
      const { code, errors } = await runScript(`
        const stats = new Client({ port: ${receiver.port} });
        stats.incr('first');
        stats.timing('second', 5);
      `);
      expect([code, errors]).to.deep.equal([0, '']);
      expect(await receiver.lines(2)).to.deep.equal(['first:1|c', 'second:5|ms']);
    });
  });
});

type Receiver = Awaited<ReturnType<typeof receive>>;

/** Opens a socket that keeps what it is sent. */
async function receive() {
  const socket = createSocket('udp4');
  const datagrams: string[] = [];
  socket.on('message', (message) => datagrams.push(message.toString()));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  let open = true;
  const lines = (): string[] => datagrams.flatMap((datagram) => datagram.split('\n'));
  return {
    port,
    datagrams,
    /** Resolves with all lines received once there are as many as `count`. */
    async lines(count: number): Promise<string[]> {
      while (lines().length < count) await once(socket, 'message');
      return lines();
    },
    client: (options?: ClientOptions): Client => new Client({ port, ...options }),
    close(): void {
      if (open) socket.close();
      open = false;
    },
  };
}

type LookupArguments = [
  host: string,
  options: unknown,
  found: (error: Error | null, address: string, family: number) => void,
];

async function runScript(script: string): Promise<{ code: number | null; errors: string }> {
  const source = new URL('../src/client.ts', import.meta.url).href;
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      `import { Client } from '${source}';${script}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 },
  );
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (errors += piece));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, errors };
}
