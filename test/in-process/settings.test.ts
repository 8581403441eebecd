import { rootCertificates } from 'node:tls';
import { expect } from 'chai';
import { createClient, createClientPool } from 'redis';
import { describe, it } from 'mocha';
import { StatcolError } from '../../src/errors.ts';
import { CA, KEYS, readSettings, redisSpec } from '../../src/in-process/settings.ts';
import { Stats, type StatsOptions } from '../../src/stats.ts';

const PEM = rootCertificates[0]!;
const REDIS =
  'redis://[user:password@]host[:port][/database], rediss://…, {host, port, options}, or a client of node-redis 4 or newer (not in legacyMode)';
const HIDDEN = 'got something else, which is not shown: it may hold a secret';
const A_SOCKET =
  "node-redis' socket options (`tls`, `ca`, `cert`, `key`, `servername`…) beside host and port; verification is never switched off: give a private CA with `ca`";
const A_KEYS = 'a list of names of hashes, each of 1 to 512 bytes; { and } only as a {tag}';
const NUMBER = 'a whole number from';

describe('A Redis of one’s own', () => {
  const table: [given: unknown, address: object][] = [
    ['redis://127.0.0.1:6379', { url: 'redis://127.0.0.1:6379' }],
    ['rediss://user:pass@h:1/2', { url: 'rediss://user:pass@h:1/2' }],
    [{}, { socket: { host: '127.0.0.1', port: 6379 } }],
    [{ host: 'h', port: 1 }, { socket: { host: 'h', port: 1 } }],
    [{ host: '::1', port: '65535' }, { socket: { host: '::1', port: 65_535 } }],
    [{ options: {} }, { socket: { host: '127.0.0.1', port: 6379 } }],
  ];
  for (const [given, address] of table) {
    it(`is taken as ${JSON.stringify(given)}`, () => {
      const { redis } = readSettings([redisSpec('redis')], { redis: given });
      expect(withoutAbsent(redis)).to.deep.equal({ kind: 'own', address });
    });
  }

  it('is given node-redis’ options: user, password, database and socket', () => {
    const options = { username: 'u', password: '123', database: 2, socket: { tls: true, ca: PEM } };
    const { redis } = readSettings([redisSpec('redis')], { redis: { host: 'h', options } });
    const socket = { tls: true, ca: PEM, host: 'h', port: 6379 };
    expect(redis).to.deep.equal({ kind: 'own', address: { ...options, socket } });
  });

  it('of an application is taken as it is, a client or a pool', () => {
    for (const client of [createClient(), createClientPool()]) {
      const { redis } = readSettings([redisSpec('redis')], { redis: client });
      expect((redis as { client: unknown }).client).to.equal(client);
    }
  });
});

describe('The hashes of a stats buffer', () => {
  const table: [given: unknown, keys: unknown][] = [
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [[], []],
    [['{app}:stats'], ['{app}:stats']],
    [['x'.repeat(512)], ['x'.repeat(512)]],
    [['{pid}'], [String(process.pid)]],
    [undefined, undefined],
  ];
  for (const [given, keys] of table) {
    it(`may be ${short(given)}`, () => {
      expect(readSettings([KEYS], { keys: given })).to.deep.equal({ keys });
    });
  }
});

describe('A private CA', () => {
  it('is the PEM text of a certificate, or its bytes', () => {
    for (const ca of [
      PEM,
      `# mine\n${PEM}\n`,
      Buffer.from(PEM),
      new Uint8Array(Buffer.from(PEM)),
    ]) {
      const read = readSettings([CA], { ca });
      expect(read).to.deep.equal({ ca: typeof ca === 'string' ? ca : PEM });
    }
  });

  it('is nothing else', () => {
    for (const ca of ['', 'x', true, null, 7, {}, [PEM], '/etc/ca.pem', Buffer.from('x')]) {
      const faults = faultsOf(() => readSettings([CA], { ca }));
      expect(faults, short(ca)).to.have.length(1);
      expect(faults[0]).to.match(/^`ca`: expected the PEM text of a certificate, got /);
    }
  });

  it('that is a private key by mistake is not shown', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n';
    for (const ca of [key, Buffer.from(key)]) {
      const [fault] = faultsOf(() => readSettings([CA], { ca }));
      expect(fault).to.not.include('SECRET').and.not.include('83,69,67,82,69,84');
    }
  });
});

describe('The options of a stats buffer', () => {
  const accepted: StatsOptions[] = [
    {},
    { redis: 'redis://127.0.0.1:1', keys: [], writeFrequency: 0 },
    { redis: createClient(), keys: ['{host}:stats'], maxKeys: 1, stopTimeout: 0 },
    { writeFrequency: 86_400_000, maxKeys: 16_000_000, stopTimeout: 600_000, onLog: () => {} },
    {
      redis: undefined,
      keys: undefined,
      writeFrequency: undefined,
      maxKeys: undefined,
      stopTimeout: undefined,
      onLog: undefined,
    },
  ];
  for (const [at, options] of accepted.entries()) {
    it(`may be ${at + 1}: ${short(Object.keys(options))}`, async () => {
      expect(await new Stats(options).stop()).to.equal(0);
    });
  }

  const refused: [options: object, ...faults: string[]][] = [
    [{ redis: '' }, `\`redis\`: expected ${REDIS}, got nothing`],
    [{ redis: 'h:6379' }, `\`redis\`: expected ${REDIS}, ${HIDDEN}`],
    [{ redis: 'http://h' }, `\`redis\`: expected ${REDIS}, got "http://***"`],
    [{ redis: 'redis://h/x' }, `\`redis\`: expected ${REDIS}, got "redis://***"`],
    [{ redis: 6379 }, `\`redis\`: expected ${REDIS}, ${HIDDEN}`],
    [{ redis: null }, `\`redis\`: expected ${REDIS}, got null`],
    [{ redis: true }, `\`redis\`: expected ${REDIS}, got true`],
    [{ redis: ['redis://h'] }, `\`redis\`: expected ${REDIS}, ${HIDDEN}`],
    [{ redis: { hots: 'h' } }, unknown('redis.hots')],
    [{ redis: { url: 'redis://h' } }, unknown('redis.url')],
    [{ redis: { port: 0 } }, `\`redis.port\`: expected ${NUMBER} 1 to 65535, got 0`],
    [
      { redis: { options: { socket: { tls: true, rejectUnauthorized: false } } } },
      `\`redis.options.socket\`: expected ${A_SOCKET}, ${HIDDEN}`,
    ],
    [
      { redis: { options: { socket: { tls: true, checkServerIdentity: () => undefined } } } },
      `\`redis.options.socket\`: expected ${A_SOCKET}, ${HIDDEN}`,
    ],
    [
      { redis: { options: { database: -1, rejectUnauthorized: false } } },
      `\`redis.options.database\`: expected ${NUMBER} 0 to 1000000, got -1`,
      unknown('redis.options.rejectUnauthorized'),
    ],
    [{ keys: 'a' }, `\`keys\`: expected ${A_KEYS}, got "a"`],
    [{ keys: ['a', ''] }, `\`keys\`: expected ${A_KEYS}, got ["a",""]`],
    [{ keys: ['a', 7] }, `\`keys\`: expected ${A_KEYS}, got ["a",7]`],
    [{ keys: ['a{b'] }, `\`keys\`: expected ${A_KEYS}, got ["a{b"]`],
    [{ writeFrequency: -1 }, `\`writeFrequency\`: expected ${NUMBER} 0 to 86400000, got -1`],
    [{ writeFrequency: 0.5 }, `\`writeFrequency\`: expected ${NUMBER} 0 to 86400000, got 0.5`],
    [{ writeFrequency: NaN }, `\`writeFrequency\`: expected ${NUMBER} 0 to 86400000, got NaN`],
    [{ maxKeys: 0 }, `\`maxKeys\`: expected ${NUMBER} 1 to 16000000, got 0`],
    [{ maxKeys: Infinity }, `\`maxKeys\`: expected ${NUMBER} 1 to 16000000, got Infinity`],
    [{ stopTimeout: 600_001 }, `\`stopTimeout\`: expected ${NUMBER} 0 to 600000, got 600001`],
    [{ stopTimeout: null }, `\`stopTimeout\`: expected ${NUMBER} 0 to 600000, got null`],
    [{ onLog: 'warn' }, '`onLog`: expected a function, got "warn"'],
    [{ onlog: () => {} }, unknown('onlog')],
    [Object.fromEntries([['__proto__', 1]]), unknown('__proto__')],
    [
      { bogus: 1, maxKeys: 0, redis: { port: 0, bogus: 2 }, onLog: 7 },
      `\`redis.port\`: expected ${NUMBER} 1 to 65535, got 0`,
      unknown('redis.bogus'),
      `\`maxKeys\`: expected ${NUMBER} 1 to 16000000, got 0`,
      '`onLog`: expected a function, got 7',
      unknown('bogus'),
    ],
  ];
  for (const [options, ...faults] of refused) {
    it(`may not be ${short(options)}`, () => {
      expect(faultsOf(() => new Stats(options))).to.deep.equal(faults);
    });
  }

  // Each would otherwise be taken for an empty configuration: the Redis of this machine.
  for (const redis of [new URL('redis://h:1'), new Map([['host', 'h']]), new Date(0)]) {
    it(`may not be a ${redis.constructor.name} for a Redis`, () => {
      expect(faultsOf(() => new Stats({ redis: redis as never }))).to.have.length(1);
    });
  }

  it('may not have a port in the host, which no Redis would answer at', () => {
    const given = { redis: { host: 'h:6379' } };
    const [fault] = faultsOf(() => readSettings([redisSpec('redis')], given));
    expect(fault).to.match(/^`redis\.host`: expected the name or address of a host, got /);
  });
});

describe('No fault shows a secret:', () => {
  const table: unknown[] = [
    'redis://user:SECRET@h:99999',
    'user:SECRET@h',
    ['redis://user:SECRET@h'],
    { host: 'redis://user:SECRET@h:6379' },
    { host: 'user:SECRET@h' },
    { options: 'redis://user:SECRET@h' },
    { options: { password: ['SECRET'] } },
    { options: { password: { it: 'SECRET' } } },
    { options: { socket: 'SECRET' } },
    { options: { socket: { rejectUnauthorized: false, passphrase: 'SECRET' } } },
    { password: 'SECRET' },
    { url: 'redis://:SECRET@h' },
  ];
  for (const redis of table) {
    it(short(redis), () => {
      const faults = faultsOf(() => new Stats({ redis: redis as never }));
      expect(faults).to.have.length(1);
      expect(faults[0]).to.not.include('SECRET');
    });
  }
});

function unknown(member: string): string {
  return `\`${member}\`: expected one of the known options, got an unknown one`;
}

function faultsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    expect(error).to.be.instanceOf(StatcolError).with.property('code', 'ERR_OPTIONS');
    const { faults, message } = error as StatcolError;
    for (const fault of faults) expect(message).to.include(fault);
    return faults;
  }
  throw new Error('nothing was refused');
}

/** Members that are undefined count as absent, also for node-redis. */
function withoutAbsent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 70 ? `${text.slice(0, 60)}… (${text.length})` : text;
}
