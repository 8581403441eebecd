import { rootCertificates } from 'node:tls';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { StatcolError } from '../../src/errors.ts';
import { readSettings } from '../../src/in-process/settings.ts';
import * as configs from '../../src/middleware/configs.ts';
import { StatCollector } from '../../src/stat-collector.ts';

const PEM = rootCertificates[0]!;
const A_TRAP = '{host, port, path} of an HTTP trap';
const A_HOST = 'the name or address of a host';
const A_PREFIX = 'a text of up to 400 characters without blanks and braces';
const HIDDEN = 'got something else, which is not shown: it may hold a secret';
const NUMBER = 'a whole number from';

describe('The options of a stat collector', () => {
  it('have the defaults of the interface', () => {
    expect(read({})).to.deep.equal({
      queryCounter: undefined,
      responseTimer: undefined,
      debug: undefined,
      key: 'route',
      maxKeys: 10_000,
      stopTimeout: 10_000,
      onLog: undefined,
    });
    expect(read({ queryCounter: {} }).queryCounter).to.deep.equal({
      redisConfig: undefined,
      statPrefix: '',
      pushInterval: 30_000,
      debug: undefined,
    });
    expect(read({ responseTimer: timer({}) }).responseTimer).to.deep.equal({
      circonusConfig: { url: 'https://h/', ca: undefined, servername: undefined },
      trapType: 'n',
      pushInterval: 500,
      debug: undefined,
    });
  });

  it('that are undefined count as absent', () => {
    const keys = ['queryCounter', 'responseTimer', 'debug', 'key', 'maxKeys', 'stopTimeout'];
    const given = Object.fromEntries([...keys, 'onLog'].map((key) => [key, undefined]));
    expect(read(given)).to.deep.equal(read({}));
  });

  it('are taken as they are given', () => {
    const onLog = (): void => {};
    const queryCounter = { statPrefix: 'foo_', pushInterval: 10, debug: true };
    const given = { debug: false, key: 'path', maxKeys: 1, stopTimeout: 0, onLog } as const;
    const { queryCounter: counter, ...rest } = read({ ...given, queryCounter });
    expect(rest).to.deep.equal({ ...given, responseTimer: undefined });
    expect(counter).to.deep.equal({ ...queryCounter, redisConfig: undefined });
  });

  const traps: [config: object, url: string][] = [
    [{}, 'https://h/'],
    [{ port: 43_191 }, 'https://h:43191/'],
    [{ protocol: 'http:' }, 'http://h/'],
    [{ path: '/module/httptrap/u/s' }, 'https://h/module/httptrap/u/s'],
    [{ host: '::1', port: 1 }, 'https://[::1]:1/'],
    [{ host: '127.0.0.1' }, 'https://127.0.0.1/'],
    [{ path: '/a?b=c' }, 'https://h/a?b=c'],
  ];
  for (const [config, url] of traps) {
    it(`make of ${JSON.stringify(config)} the trap ${url}`, () => {
      expect(read({ responseTimer: timer(config) }).responseTimer?.circonusConfig.url).to.equal(
        url,
      );
    });
  }

  it('take a private CA as text or bytes, and the name that its certificate bears', () => {
    for (const ca of [PEM, Buffer.from(PEM)]) {
      const { responseTimer } = read({ responseTimer: timer({ ca, servername: 'broker' }) });
      expect(responseTimer?.circonusConfig).to.deep.include({ ca: PEM, servername: 'broker' });
    }
  });

  const refused: [options: object, ...faults: string[]][] = [
    [{ key: 'url' }, '`key`: expected one of route, path, got "url"'],
    [{ debug: 'yes' }, '`debug`: expected true or false, got "yes"'],
    [{ debug: 1 }, '`debug`: expected true or false, got 1'],
    [{ maxKeys: 0 }, `\`maxKeys\`: expected ${NUMBER} 1 to 16000000, got 0`],
    [{ stopTimeout: -1 }, `\`stopTimeout\`: expected ${NUMBER} 0 to 600000, got -1`],
    [{ onLog: {} }, '`onLog`: expected a function, got {}'],
    [{ prefix: 'a' }, unknown('prefix')],
    [
      { queryCounter: null },
      '`queryCounter`: expected an object: redisConfig, statPrefix…, got null',
    ],
    [
      { queryCounter: { statPrefix: 'a b', pushInterval: 9, bogus: 1 } },
      `\`queryCounter.statPrefix\`: expected ${A_PREFIX}, got "a b"`,
      `\`queryCounter.pushInterval\`: expected ${NUMBER} 10 to 86400000, got 9`,
      unknown('queryCounter.bogus'),
    ],
    [
      { queryCounter: { statPrefix: '{a}' } },
      `\`queryCounter.statPrefix\`: expected ${A_PREFIX}, got "{a}"`,
    ],
    [
      { queryCounter: { redisConfig: { port: 65_536 } } },
      `\`queryCounter.redisConfig.port\`: expected ${NUMBER} 1 to 65535, got 65536`,
    ],
    [{ responseTimer: null }, '`responseTimer`: expected an object: circonusConfig…, got null'],
    [{ responseTimer: {} }, noTrap()],
    [{ responseTimer: { circonusConfig: undefined } }, noTrap()],
    [
      { responseTimer: { circonusConfig: null } },
      `\`responseTimer.circonusConfig\`: expected ${A_TRAP}, got null`,
    ],
    [{ responseTimer: { circonusConfig: {} } }, noHost()],
    [{ responseTimer: { circonusConfig: { host: '' } } }, noHost()],
    [{ responseTimer: { circonusConfig: { host: undefined } } }, noHost()],
    [
      { responseTimer: timer({ rejectUnauthorized: false }) },
      unknown('responseTimer.circonusConfig.rejectUnauthorized'),
    ],
    [
      { responseTimer: timer({ port: 0, path: 'SECRET', protocol: 'https' }) },
      `\`responseTimer.circonusConfig.port\`: expected ${NUMBER} 1 to 65535, got 0`,
      `\`responseTimer.circonusConfig.path\`: expected a path, from its first /, ${HIDDEN}`,
      '`responseTimer.circonusConfig.protocol`: expected one of https:, http:, got "https"',
    ],
    [
      { responseTimer: { ...timer({}), trapType: 'x', pushInterval: 9 } },
      '`responseTimer.trapType`: expected one of n, h, got "x"',
      `\`responseTimer.pushInterval\`: expected ${NUMBER} 10 to 86400000, got 9`,
    ],
  ];
  for (const [options, ...faults] of refused) {
    it(`may not be ${inspect(options, { depth: 4, breakLength: Infinity })}`, () => {
      expect(faultsOf(() => read(options))).to.deep.equal(faults);
    });
  }

  it('are all checked before any fault is told, and nothing is begun', () => {
    const options = { key: 'x', queryCounter: { debug: 1 }, responseTimer: {}, bogus: 1 };
    expect(faultsOf(() => new StatCollector(options as never))).to.deep.equal([
      '`queryCounter.debug`: expected true or false, got 1',
      noTrap(),
      '`key`: expected one of route, path, got "x"',
      unknown('bogus'),
    ]);
  });

  it('given later have the same faults', () => {
    const collector = new StatCollector();
    const counter = faultsOf(() => collector.configureQueryCounter({ pushInterval: 0 }));
    const missing = faultsOf(() => collector.configureResponseTimer({} as never));
    expect([...counter, ...missing]).to.deep.equal([
      `\`queryCounter.pushInterval\`: expected ${NUMBER} 10 to 86400000, got 0`,
      noTrap(),
    ]);
  });

  for (const host of ['h:43191', 'a^b', 'a%zz', '1.2.3.4.5', '::g']) {
    it(`may not have ${host} for a host, of which no URL can be made`, () => {
      const [fault, ...more] = faultsOf(() => read({ responseTimer: timer({ host }) }));
      expect(more).to.deep.equal([]);
      expect(fault).to.match(/^`responseTimer\.circonusConfig\.host`: expected .*host.*, got /);
    });
  }
});

describe('No fault of a stat collector shows a secret:', () => {
  const trap = 'https://h:43191/module/httptrap/uuid/SECRET';
  const table: object[] = [
    { queryCounter: 'redis://:SECRET@h' },
    { queryCounter: [{ redisConfig: 'redis://:SECRET@h' }] },
    { queryCounter: { redisConfig: 'h:SECRET@h' } },
    { queryCounter: { redisConfig: { host: 'redis://:SECRET@h' } } },
    { queryCounter: { redisConfig: { options: { password: ['SECRET'] } } } },
    { queryCounter: { redisConfig: { options: 'SECRET' } } },
    { responseTimer: trap },
    { responseTimer: { circonusConfig: trap } },
    { responseTimer: { circonusConfig: [{ host: 'h', path: '/module/httptrap/uuid/SECRET' }] } },
    { responseTimer: timer({ host: trap }) },
    { responseTimer: timer({ host: 'h/module/httptrap/uuid/SECRET' }) },
    { responseTimer: timer({ path: 'module/httptrap/uuid/SECRET' }) },
    { responseTimer: timer({ path: ['/module/httptrap/uuid/SECRET'] }) },
    { responseTimer: timer({ url: trap }) },
  ];
  for (const options of table) {
    it(JSON.stringify(options), () => {
      const faults = faultsOf(() => read(options));
      expect(faults).to.have.length(1);
      expect(faults[0]).to.not.include('SECRET');
    });
  }
});

function timer(trap: object): { circonusConfig: { host: string } } {
  return { circonusConfig: { host: 'h', ...trap } };
}

function noTrap(): string {
  return `\`responseTimer.circonusConfig\`: expected ${A_TRAP}, got nothing`;
}

function noHost(): string {
  return `\`responseTimer.circonusConfig.host\`: expected ${A_HOST}, got nothing`;
}

function unknown(member: string): string {
  return `\`${member}\`: expected one of the known options, got an unknown one`;
}

function read(options: object): configs.StatCollectorSettings {
  return readSettings(configs.STAT_COLLECTOR, options) as unknown as configs.StatCollectorSettings;
}

function faultsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    expect(error).to.be.instanceOf(StatcolError).with.property('code', 'ERR_OPTIONS');
    return (error as StatcolError).faults;
  }
  throw new Error('nothing was refused');
}
