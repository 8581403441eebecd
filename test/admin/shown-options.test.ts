import { expect } from 'chai';
import { describe, it } from 'mocha';

import { optionsText } from '../../src/admin/shown-options.ts';
import { OPTION_SPECS } from '../../src/option-specs.ts';
import { readOptions } from '../../src/options.ts';
import { AROUND } from '../support/options.ts';

/** Returns the lines of `config`, by key. */
function shown(given: Record<string, unknown>, endpoints = {}): Map<string, string> {
  const entries = Object.entries(given).map(([key, value]) => [key, { value, from: key }] as const);
  const options = readOptions(Object.fromEntries(entries), AROUND);
  const text = optionsText(OPTION_SPECS, options, endpoints);
  expect(text).to.match(/\n$/);
  const lines = text.slice(0, -1).split('\n');
  expect(lines).to.have.length(OPTION_SPECS.length);
  return new Map(lines.map((line) => /^(\w+): (.*)$/.exec(line)!.slice(1) as [string, string]));
}

describe('The options that config shows', () => {
  it('are all of them, by their names in a program', () => {
    const lines = shown({
      collection: ['a', 'b'],
      unixMode: '0600',
      tcp: '[::1]:8125',
      trapCa: 'ca.pem',
    });
    expect([...lines.keys()]).to.deep.equal(OPTION_SPECS.map(({ key }) => key));
    expect(lines.get('port')).to.equal('8125');
    expect(lines.get('collection')).to.equal('a,b');
    expect(lines.get('unixMode')).to.equal('0600');
    expect(lines.get('tcp')).to.equal('[::1]:8125');
    expect(lines.get('unix')).to.equal('off');
    expect(lines.get('redis')).to.equal('none');
    expect(lines.get('httpToken')).to.equal('none');
    expect(lines.get('trapCa')).to.equal('given');
    expect(lines.get('spoolLimit')).to.equal(String(1 << 30));
  });

  it('have the ports that were taken', () => {
    const lines = shown(
      { port: 0, http: 0, admin: 0, tcp: 0, unix: 'a:1' },
      {
        udp: 'udp://127.0.0.1:41',
        tcp: 'tcp://[::1]:42',
        unix: 'unix:///run/a:1',
        admin: 'admin://127.0.0.1:43',
        http: 'http://127.0.0.1:44/',
      },
    );
    expect(lines.get('port')).to.equal('41');
    expect(lines.get('tcp')).to.equal('[::1]:42');
    expect(lines.get('unix')).to.equal('a:1');
    expect(lines.get('admin')).to.equal('127.0.0.1:43');
    expect(lines.get('http')).to.equal('127.0.0.1:44');
  });

  const secrets: [key: string, value: string, wanted: string][] = [
    ['httpToken', 'SECRETSECRET', '***'],
    ['trapSecret', 'SECRET', '***'],
    ['redis', 'redis://127.0.0.1:6379/2', 'redis://127.0.0.1:6379/2'],
    ['redis', 'redis://SECRET:SECRET@h:6379/2', 'redis://***@h:6379/2'],
    ['redis', 'rediss://:SECRET@[::1]:6379', 'rediss://***@[::1]:6379'],
    ['redis', 'redis://h?password=SECRET', 'redis://h?***'],
    ['redis', 'redis+cluster://:SECRET@a:1,b', 'redis+cluster://***@a:1,b:6379'],
    [
      'redis',
      'rediss+sentinel://SECRET:SECRET@a:1,[::1]:2/m/3',
      'rediss+sentinel://***@a:1,[::1]:2/m/3',
    ],
    ['trap', 'https://h:43191/module/httptrap/uuid/SECRET', 'https://h:43191/***'],
    ['trap', 'http://SECRET:SECRET@h/1234?SECRET#SECRET', 'http://***@h/***?***'],
    ['trap', 'http://h/', 'http://h/'],
    ['collection', 'a\n: b', 'a\\x0a: b'],
  ];
  for (const [key, value, wanted] of secrets) {
    it(`${key}: ${JSON.stringify(value)} is ${wanted}`, () => {
      const lines = shown({ [key]: value });
      expect(lines.get(key)).to.equal(wanted);
      expect([...lines.values()].join(' ')).to.not.include('SECRET');
    });
  }

  it('hide whatever an option calls a secret', () => {
    const hiding = OPTION_SPECS.filter(({ secret }) => secret !== undefined).map(({ key }) => key);
    expect(hiding).to.deep.equal(['redis', 'trap', 'httpToken', 'trapSecret']);
  });
});
