import { expect } from 'chai';
import { describe, it } from 'mocha';
import { faultsOf, type Key, short } from './support/options.ts';

describe('Options', () => {
  describe('never show a secret in a fault:', () => {
    const table: [Key, unknown][] = [
      ['redis', 'redis://user:SECRET@h:99999'],
      ['redis', 'redis://:SECRET@h/x'],
      ['redis', 'redis+cluster://:SECRET@a:1,:SECRET@b:2'],
      ['redis', 'redis://u:pa/SECRET@h:1'],
      ['redis', 'redis://u:SECRET/pa@h:1'],
      ['redis', 'redis://u:pa@SECRET@h:99999'],
      ['redis', 'redis://h:99999?password=SECRET'],
      ['redis', 'user:SECRET@h:6379'],
      ['redis', 'redis:user:SECRET@h:6379'],
      ['redis', ['redis://user:SECRET@h:6379']],
      ['trap', 'ftp://h/module/httptrap/uuid/SECRET'],
      ['trap', 'h:43191/module/httptrap/uuid/SECRET'],
      ['trap', 'https//h:43191/module/httptrap/uuid/SECRET'],
      ['trap', 'https://h:99999/module/httptrap/uuid/SECRET'],
      ['trap', ['https://h/module/httptrap/uuid/SECRET']],
      ['httpToken', 'SECRET'],
      ['httpToken', 'SECRET with blanks'],
      ['httpToken', ['SECRETSECRET']],
    ];
    for (const [key, value] of table) {
      it(`${key}: ${short(value)}`, () => {
        const faults = faultsOf({ [key]: { value, from: `--${key}` } });
        expect(faults).to.have.length(1);
        expect(faults[0]).to.not.include('SECRET');
      });
    }
  });
});
