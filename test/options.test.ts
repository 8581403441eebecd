import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createCollector } from '../src/collector.ts';
import { StatcolError } from '../src/errors.ts';
import { environmentName, readOptions } from '../src/options.ts';
import { OPTION_SPECS } from '../src/option-specs.ts';
import { AROUND, faultsOf, FILES, type Key, short } from './support/options.ts';

describe('Options', () => {
  it('all have the defaults of the interface', () => {
    expect(readOptions({}, AROUND)).to.deep.equal({
      host: '127.0.0.1',
      port: 8125,
      tcp: null,
      unix: null,
      unixMode: 0o660,
      admin: null,
      redis: undefined,
      redisWait: 0,
      collection: ['statcol:stats'],
      layout: 'flat',
      counterInterval: 1000,
      trap: undefined,
      trapType: 'n',
      trapCa: undefined,
      trapServername: undefined,
      timingInterval: 500,
      http: { host: '127.0.0.1', port: 8127 },
      httpToken: undefined,
      trapSecret: undefined,
      names: 'statsd',
      tags: undefined,
      tagSetsPerName: 1000,
      maxKeys: 1_000_000,
      threads: 1,
      receiver: 'auto',
      stateDir: undefined,
      spoolLimit: 2 ** 30,
      stopTimeout: 10_000,
      instance: 'web-1',
      logLevel: 'info',
    });
  });

  it('have a flag that is their key, in words', () => {
    for (const { key, flag, help, expected } of OPTION_SPECS) {
      const words = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(flag).to.equal(`--${words}`);
      expect(help).to.match(/\S/);
      expect(expected).to.match(/\S/);
    }
  });

  it('show the default that they have', () => {
    for (const { fallback, shownDefault } of OPTION_SPECS) {
      if (fallback !== undefined && fallback !== '') expect(shownDefault).to.equal(fallback);
    }
  });

  const accepted: [Key, unknown, unknown][] = [
    ['host', '0.0.0.0', '0.0.0.0'],
    ['host', '::1', '::1'],
    ['host', 'localhost', '127.0.0.1'],
    ['port', 0, 0],
    ['port', '65535', 65_535],
    ['tcp', 'off', null],
    ['tcp', 8125, { host: '127.0.0.1', port: 8125 }],
    ['tcp', '[::]:0', { host: '::', port: 0 }],
    ['admin', 'off', null],
    ['admin', '8126', { host: '127.0.0.1', port: 8126 }],
    ['admin', '[::1]:0', { host: '::1', port: 0 }],
    ['unix', 'off', null],
    ['unix', '/run/statcol.sock', '/run/statcol.sock'],
    ['unix', `/${'é'.repeat(53)}`, `/${'é'.repeat(53)}`],
    ['unixMode', '0666', 0o666],
    ['unixMode', '600', 0o600],
    ['unixMode', 0o620, 0o620],
    ['redis', 'redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
    ['redis', 'rediss://user:pass@h:1/2', 'rediss://user:pass@h:1/2'],
    ['redis', 'redis://[::1]:6379/', 'redis://[::1]:6379/'],
    ['collection', 'app:stats', ['app:stats']],
    ['collection', ['a', '{pid}:b', '{host}-{pid}'], ['a', '77:b', 'web-1-77']],
    ['collection', '{app}:stats', ['{app}:stats']],
    ['collection', 'x'.repeat(512), ['x'.repeat(512)]],
    ['layout', 'split', 'split'],
    ['counterInterval', 10, 10],
    ['counterInterval', '600000', 600_000],
    ['trap', 'http://h:1/module/httptrap/u/s', 'http://h:1/module/httptrap/u/s'],
    ['trap', 'https://h', 'https://h'],
    ['trapCa', 'ca.pem', FILES['ca.pem']],
    ['trapServername', 'broker.example-1.com', 'broker.example-1.com'],
    ['trapServername', 'x'.repeat(253), 'x'.repeat(253)],
    ['timingInterval', 10, 10],
    ['http', 'off', null],
    ['http', 0, { host: '127.0.0.1', port: 0 }],
    ['http', '0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['http', '[::1]:65535', { host: '::1', port: 65_535 }],
    ['http', 'localhost:8127', { host: '127.0.0.1', port: 8127 }],
    ['httpToken', 'a-._~+/=Z9', 'a-._~+/=Z9'],
    ['httpToken', 'x'.repeat(256), 'x'.repeat(256)],
    ['names', 'keep', 'keep'],
    ['tags', 'influx', 'influx'],
    ['tags', 'librato', 'librato'],
    ['tags', 'signalfx', 'signalfx'],
    ['tagSetsPerName', '1', 1],
    ['maxKeys', 1, 1],
    ['maxKeys', '16000000', 16_000_000],
    ['spoolLimit', '16MiB', 16 * 1024 * 1024],
    ['spoolLimit', '2GB', 2e9],
    ['spoolLimit', 20_000_000, 20_000_000],
    ['stateDir', '/var/lib/statcol', '/var/lib/statcol'],
    ['stopTimeout', 0, 0],
    ['stopTimeout', '3600000', 3_600_000],
    ['instance', 'A_b.c-9', 'A_b.c-9'],
    ['instance', 'x'.repeat(64), 'x'.repeat(64)],
    ...['silent', 'error', 'warn', 'info', 'debug'].map((level): [Key, string, string] => {
      return ['logLevel', level, level];
    }),
  ];
  for (const [key, value, expected] of accepted) {
    it(`${key}: takes ${short(value)}`, () => {
      const options = readOptions({ [key]: { value, from: key } }, AROUND);
      expect(options[key]).to.deep.equal(expected);
    });
  }

  const numbers = (min: number, max: number): unknown[] => {
    return [min - 1, max + 1, 10.5, '1e3', '0x10', ' 10', '', '-', 'many', NaN, true, null, [10]];
  };
  const refused: [Key, unknown[]][] = [
    ['host', ['', 'example.com', '127.0.0.256', '[::1]', '127.0.0.1:80', 127, true, {}]],
    ['port', numbers(0, 65_535)],
    [
      'redis',
      [
        '',
        'h:6379',
        '127.0.0.1',
        'http://h',
        'redis://',
        'redis:///0',
        'redis://h/x',
        'redis://h:x',
      ],
    ],
    ['redis', ['redis://h/0/1', 'redis://h:65536', true, 6379]],
    ['collection', ['', 'x'.repeat(513), 'é'.repeat(257), 'a{b', 'a}b', '{}x', '}{', true, null]],
    ['layout', ['', 'Flat', 'flat ', 'nested', true]],
    ['counterInterval', numbers(10, 600_000)],
    ['trap', ['', 'h:43191/module', 'ftp://h', 'http://', 'https://h:99999/', true, 1]],
    ['trapCa', ['', 'missing.pem', 'empty.pem', 'x.pem', true]],
    ['trapServername', ['', 'a..b', '.a', 'a.', 'a b', 'a:1', 'é', 'x'.repeat(254)]],
    ['timingInterval', numbers(10, 600_000)],
    ['http', ['', 'on', ':80', '65536', '-1', '::1:80', '[::1]', '127.0.0.1', 'h:80', '[h]:80']],
    ['http', ['[127.0.0.1]:80', '127.0.0.1:65536', '127.0.0.1:', '1:2:3', true, false]],
    [
      'httpToken',
      ['', 'short77', 'x'.repeat(257), 'with blank', 'semi;colon', 'é'.repeat(9), true],
    ],
    ['names', ['', 'Keep', 'all']],
    ['tags', ['', 'none', 'Influx', 'dogstatsd', 'influx,librato']],
    ['tagSetsPerName', numbers(1, 16_000_000)],
    ['maxKeys', numbers(1, 16_000_000)],
    ['spoolLimit', ['', '1', '15MiB', '1GB ', '-1GiB', '1.5GiB', '1gib', '9999999TiB', true, null]],
    ['stateDir', ['', true, null]],
    ['stopTimeout', numbers(0, 3_600_000)],
    ['instance', ['x'.repeat(65), 'a b', 'a/b', 'é', true]],
    ['logLevel', ['', 'trace', 'INFO', 'all']],
  ];
  for (const [key, values] of refused) {
    for (const value of values) {
      it(`${key}: refuses ${short(value)} in one line that says what is expected`, () => {
        const faults = faultsOf({ [key]: { value, from: `--${key}` } });
        expect(faults).to.have.length(1);
        const { expected } = OPTION_SPECS.find((spec) => spec.key === key)!;
        expect(faults[0]).to.satisfy((line: string) =>
          line.startsWith(`--${key}: expected ${expected}, got `),
        );
        expect(faults[0]).to.not.include('\n');
      });
    }
  }

  it('that are undefined count as absent', () => {
    const given = Object.fromEntries(
      OPTION_SPECS.map(({ key }) => [key, { value: undefined, from: key }]),
    );
    expect(readOptions(given, AROUND)).to.deep.equal(readOptions({}, AROUND));
  });

  it('as lists: every wrong element is a fault, and so is a list of none', () => {
    const faults = faultsOf({ collection: { value: ['ok', '', 'a{b'], from: '--collection' } });
    expect(faults.map((line) => line.split('got ')[1])).to.deep.equal(['nothing', '"a{b"']);
    expect(faultsOf({ collection: { value: [], from: '--collection' } })).to.have.length(1);
    expect(faultsOf({ host: { value: ['127.0.0.1'], from: '--host' } })).to.have.length(1);
  });

  it('are all checked before any fault is told', () => {
    const faults = faultsOf({
      port: { value: 'x', from: '--port' },
      bogus: { value: 1, from: '`bogus`' },
      host: { value: true, from: 'STATCOL_HOST' },
      maxKeys: { value: 0, from: '`maxKeys`' },
    });
    expect(faults).to.deep.equal([
      'STATCOL_HOST: expected an IPv4 or IPv6 address of this machine, got nothing',
      '--port: expected a whole number from 0 to 65535, got "x"',
      '`maxKeys`: expected a whole number from 1 to 16000000, got 0',
      '`bogus`: expected one of the known options, got an unknown one',
    ]);
  });

  for (const key of ['bogus', '__proto__', 'constructor', 'toString', 'Host', 'trap-ca']) {
    it(`refuse the unknown key ${key}`, () => {
      const given = Object.fromEntries([[key, { value: 1, from: `\`${key}\`` }]]);
      expect(faultsOf(given)).to.deep.equal([
        `\`${key}\`: expected one of the known options, got an unknown one`,
      ]);
    });
  }

  it('take the host’s name for an instance as far as it can be one', () => {
    const instanceOn = (hostName: string): string =>
      readOptions({}, { ...AROUND, hostName }).instance;
    expect(instanceOn('büro 7/a')).to.equal('b-ro-7-a');
    expect(instanceOn('h'.repeat(80))).to.equal('h'.repeat(64));
    expect(instanceOn('')).to.equal('statcol');
  });

  it('show a wrong value of any length in one line of bounded length', () => {
    const [fault] = faultsOf({ layout: { value: 'x\n'.repeat(5000), from: '--layout' } });
    expect(fault!.length).to.be.below(600);
    expect(fault).to.not.include('\n');
  });

  it('have an environment variable each: STATCOL_ and the flag in capitals', () => {
    expect(environmentName('--redis')).to.equal('STATCOL_REDIS');
    expect(environmentName('--trap-ca')).to.equal('STATCOL_TRAP_CA');
    const names = OPTION_SPECS.map(({ flag }) => environmentName(flag));
    expect(new Set(names).size).to.equal(OPTION_SPECS.length);
  });

  describe('given to createCollector', () => {
    it('are in camelCase, and every fault is listed', () => {
      let thrown: unknown;
      try {
        const options = { port: 70_000, counterInterval: 1, trapCa: '/no/such/file', bogus: 1 };
        createCollector(options);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).to.be.instanceOf(StatcolError);
      const { code, faults, message } = thrown as StatcolError;
      expect(code).to.equal('ERR_OPTIONS');
      expect(faults.map((line) => line.split(':')[0])).to.deep.equal([
        '`port`',
        '`counterInterval`',
        '`trapCa`',
        '`bogus`',
      ]);
      for (const fault of faults) expect(message).to.include(fault);
    });

    it('bind nothing by themselves, and may be none', () => {
      expect(createCollector()).to.have.keys('start', 'stop', 'vitals');
      expect(() => createCollector({ http: 'off', collection: ['a', 'b'] })).to.not.throw();
    });
  });
});
