import type { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { after, afterEach, before, describe, it } from 'mocha';
import { createClient, createClientPool, RESP_TYPES } from 'redis';
import { systemTime } from '../../src/flush/time.ts';
import { createRedisStore } from '../../src/sinks/redis.ts';
import { type BorrowedClient, createBorrowedAccess } from '../../src/sinks/redis-access.ts';
import { HashFault, type Store } from '../../src/sinks/store.ts';
import { createFakeTime, settle } from '../support/fake-time.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

/** A client of node-redis, as an application has it. */
interface AppClient extends BorrowedClient {
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

const BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
const KINDS: [kind: string, make: (url: string) => AppClient][] = [
  ['a client with RESP 2', (url) => createClient({ url, RESP: 2 })],
  ['a client with RESP 3', (url) => createClient({ url, RESP: 3 })],
  ['a pool', (url) => createClientPool({ url })],
  [
    'a client that is told to give bytes',
    (url) => createClient({ url, RESP: 2, commandOptions: BYTES }),
  ],
  [
    'a client with RESP 3 that is told to give bytes',
    (url) => createClient({ url, RESP: 3, commandOptions: BYTES }),
  ],
  ['a client with a type mapping', (url) => mapped(createClient({ url }))],
];

describe('Over an application’s client, the store in Redis', () => {
  let redis: RedisServer;
  const opened: AppClient[] = [];
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis.stop());
  afterEach(async () => {
    for (const one of opened.splice(0)) if (one.isOpen) one.destroy();
    await redis.command('FLUSHALL');
  });

  for (const [kind, make] of KINDS) {
    describe(`with ${kind}`, () => {
      it('applies a chunk once, and says again which parts were refused', async () => {
        const { store } = await connected(make);
        await redis.command('HSET', 'h', 'text', 'x');
        const parts = [
          { field: 'a', amount: 3 },
          { field: 'text', amount: 1 },
          { field: null, amount: 5 },
        ];
        for (let turn = 0; turn < 2; turn++) {
          const faults = await store.apply({ hash: 'h', seq: 1, parts, total: true });
          expect([...faults]).to.deep.equal([[1, 'not_integer']]);
        }
        expect([...(await redis.hash('h'))]).to.deep.equal([
          ['text', 'x'],
          ['a', '3'],
          ['total', '8'],
        ]);
      });

      it('reads hashes and fields as texts, whatever they are called', async () => {
        const { store } = await connected(make);
        const pairs = ['__proto__', '1', '', '2', 'é\n', '9007199254740993', '1', ''];
        await redis.command('HSET', 'h', ...pairs);
        expect((await store.read('h')).flat()).to.deep.equal(pairs);
        expect(await store.readField('h', '__proto__')).to.equal('1');
        expect(await store.readField('h', 'é\n')).to.equal('9007199254740993');
        expect(await store.readField('h', '1')).to.equal('');
        expect(await store.readField('h', 'constructor')).to.equal(null);
        expect(await store.readField('none', 'a')).to.equal(null);
        expect(await store.countFields('h')).to.equal(4);
        expect(await store.countFields('none')).to.equal(0);
        expect(await store.read('none')).to.deep.equal([]);
      });

      it('tells a hash of another type from a fault of Redis', async () => {
        const { store } = await connected(make);
        await redis.command('SET', 's', 'x');
        const parts = [{ field: 'a', amount: 1 }];
        const failures = await Promise.all([
          failureOf(store.apply({ hash: 's', seq: 1, parts, total: false })),
          failureOf(store.read('s')),
          failureOf(store.readField('s', 'a')),
        ]);
        for (const failure of failures) expect(failure).to.be.instanceOf(HashFault);
        expect(await redis.command('GET', 's')).to.equal('x');
      });

      it('sends nothing before the client is connected, and says so', async () => {
        const client = make(redis.url);
        const store = storeOf(client);
        expect([store.connected, store.closed]).to.deep.equal([false, true]);
        for (const failure of await failuresOf(store)) {
          expect(failure).to.include({
            message: "the application's client is closed: call its connect()",
          });
        }
        await open(client);
        expect([store.connected, store.closed]).to.deep.equal([true, false]);
        await store.connect();
        expect(await redis.command('DBSIZE'), 'nothing was queued').to.equal(0);
      });

      it('is closed when the client is, and leaves the client alone', async () => {
        const { store, client } = await connected(make);
        store.close();
        expect(client.isOpen).to.equal(true);
        expect(await store.read('h')).to.deep.equal([]);
        client.destroy();
        expect([store.connected, store.closed]).to.deep.equal([false, true]);
        expect(await failuresOf(store)).to.have.length(4);
      });
    });
  }

  it('is tried with clients that do give bytes', async () => {
    const replies: unknown[] = [];
    for (const [, make] of KINDS) {
      const { client } = await connected(make);
      replies.push(await client.eval("return 'x'", { keys: [], arguments: [] }));
    }
    expect(replies.map(Buffer.isBuffer)).to.deep.equal([false, false, false, true, true, true]);
  });

  it('is neither connected nor closed while the client connects again', async () => {
    const own = await startRedis();
    const client = createClient({ url: own.url, socket: { reconnectStrategy: () => 20 } });
    await open(client);
    const store = storeOf(client);
    await store.connect();
    const lost = next(client, 'reconnecting');
    await own.kill();
    await lost;
    expect([store.connected, store.closed]).to.deep.equal([false, false]);
    for (const failure of await failuresOf(store)) {
      expect(failure).to.include({ message: "the application's client is not connected" });
    }
    const ready = next(client, 'ready');
    await own.restart();
    await ready;
    expect([store.connected, store.closed]).to.deep.equal([true, false]);
    const parts = [{ field: 'a', amount: 1 }];
    await store.apply({ hash: 'h', seq: 1, parts, total: false });
    expect([...(await own.hash('h'))], 'nothing was queued meanwhile').to.deep.equal([['a', '1']]);
    client.destroy();
    await own.stop();
  });

  it('does not wait for a reply for longer than it is told to', async () => {
    const client = createClient({ url: redis.url });
    await open(client);
    const time = createFakeTime();
    const access = createBorrowedAccess(client, { time, timeoutMs: 5000 });
    await redis.command('CLIENT', 'PAUSE', '60000', 'WRITE');
    const failure = failureOf(access.evaluate("return redis.call('GET', KEYS[1])", ['a'], []));
    await time.pass(4999);
    expect(time.waiting).to.equal(1);
    await time.pass(1);
    expect(await failure).to.include({ message: 'redis did not answer within 5 s' });
    const askNext = (): Promise<unknown> => access.evaluate("return 'next'", [], []);
    // Until it is answered, nothing more is sent, so that nothing piles up.
    expect(await failureOf(askNext())).to.include({ message: 'redis did not answer within 5 s' });
    await redis.command('CLIENT', 'UNPAUSE');
    let answer: unknown;
    while (answer === undefined) answer = await askNext().catch(() => settle());
    expect(answer, 'the late reply is taken for no other').to.equal('next');
    expect(time.waiting).to.equal(0);
  });

  it('passes on what Redis itself has to say', async () => {
    const { access } = await connected((url) => createClient({ url }));
    const failure = await failureOf(access.evaluate("return redis.error_reply('OOM x')", [], []));
    expect(failure).to.be.instanceOf(Error).and.not.instanceOf(HashFault);
    expect((failure as Error).message).to.include('OOM x');
  });

  it('shows no secret in its name', () => {
    const client = createClient({ url: 'redis://user:SECRET@h:1' });
    expect(storeOf(client).label).to.equal("redis (the application's client)");
  });

  async function connected(
    make: (url: string) => AppClient,
  ): Promise<{ client: AppClient; store: Store; access: ReturnType<typeof createBorrowedAccess> }> {
    const client = make(redis.url);
    await open(client);
    const access = createBorrowedAccess(client, { time: systemTime(), timeoutMs: 5000 });
    return { client, access, store: createRedisStore(access, () => 'test') };
  }

  async function open(client: AppClient): Promise<void> {
    client.on('error', () => {}); // a connection that is lost is what is tested
    opened.push(client);
    await client.connect();
  }
});

function storeOf(client: BorrowedClient): Store {
  const access = createBorrowedAccess(client, { time: systemTime(), timeoutMs: 5000 });
  return createRedisStore(access, () => 'test');
}

/** What an application gives away of a client that has a mapping of its own. */
function mapped(client: ReturnType<typeof createClient>): AppClient {
  const view = client.withTypeMapping(BYTES.typeMapping);
  return Object.assign(Object.create(view) as object, {
    on: client.on.bind(client),
    connect: () => client.connect(),
    destroy: () => client.destroy(),
  }) as unknown as AppClient;
}

/** `once` of Node would reject with the first error, which is what is waited for here. */
function next(client: Pick<EventEmitter, 'once'>, event: string): Promise<void> {
  return new Promise((resolve) => void client.once(event, () => resolve()));
}

function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** What everything that a store can do fails of. */
async function failuresOf(store: Store): Promise<Error[]> {
  const parts = [{ field: 'a', amount: 1 }];
  const failures = await Promise.all([
    failureOf(store.connect()),
    failureOf(store.apply({ hash: 'h', seq: 9, parts, total: false })),
    failureOf(store.read('h')),
    failureOf(store.readField('h', 'a')),
  ]);
  for (const one of failures) expect(one).to.be.instanceOf(Error);
  return failures as Error[];
}
