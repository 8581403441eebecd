import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { trapName, untaggedTrapName } from '../../src/flush/trap-name.ts';

describe('The name of what has no tags, at a trap', () => {
  const table: [name: string, atTrap: string][] = [
    ['/users/:id', '/users/:id'],
    ['/users;a=b', '/users;a=b'],
    ['/a;b;c=d', '/a;b;c=d'],
    ['(other)', '(other)'],
    ['/a b', '/a b'],
    [' /a ', '%20/a%20'],
    ['/é', '/%C3%A9'],
    ['/a%20b', '/a%2520b'],
    ['/100%', '/100%'],
    ['/`', '/%60'],
    ['_type', '%5Ftype'],
    ['_value', '%5Fvalue'],
    ['_types', '_types'],
    ['', ''],
  ];
  for (const [name, atTrap] of table) {
    it(`of ${JSON.stringify(name)} is ${JSON.stringify(atTrap)}`, () => {
      expect(untaggedTrapName(name)).to.equal(atTrap);
    });
  }

  it('is never longer than a trap takes, and keeps names apart that differ at their end', () => {
    const names = ['a', 'b', 'é'].map((end) => `/${'x'.repeat(5000)};${end}`);
    const atTrap = names.map(untaggedTrapName);
    for (const one of atTrap) expect(one.length).to.equal(4095);
    expect(new Set(atTrap).size).to.equal(3);
    expect(untaggedTrapName('x'.repeat(4095))).to.equal('x'.repeat(4095));
  });

  it('differs for names that differ', () => {
    const name = fc.string({ unit: fc.constantFrom('%', '2', '0', 'A', ' ', ';', '=', '`', 'é') });
    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(untaggedTrapName(one) === untaggedTrapName(other)).to.equal(one === other);
      }),
      { numRuns: 2000 },
    );
  });

  it('is that of trapName where there is no ;', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (any) => {
        const name = any.replaceAll(';', '');
        expect(untaggedTrapName(name)).to.equal(trapName(name));
      }),
    );
  });
});
