import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createLayout } from '../../src/flush/layout.ts';

describe('The flat layout', () => {
  it('makes the collection the hash and the name the field, for each collection', () => {
    const layout = createLayout('flat', ['app:stats', '77:stats']);
    expect(layout.name).to.equal('flat');
    expect(layout.place('api.hits')).to.deep.equal([
      { hash: 'app:stats', field: 'api.hits' },
      { hash: '77:stats', field: 'api.hits' },
    ]);
  });

  for (const name of ['total', 'a{b}', '.', '__proto__', 'a b']) {
    it(`leaves ${name} as it is`, () => {
      expect(createLayout('flat', ['h']).place(name)).to.deep.equal([{ hash: 'h', field: name }]);
    });
  }
});

describe('The split layout', () => {
  const table: [collection: string, name: string, hash: string, field: string | null][] = [
    ['foo_', 'requestTotal./users', 'foo_requestTotal', '/users'],
    ['foo_', 'api.a.b.c', 'foo_api', 'a.b.c'],
    ['foo_', 'uptime', 'foo_uptime', null],
    ['foo_', 'uptime.', 'foo_uptime', null],
    ['foo_', 'api.total', 'foo_api', '(total)'],
    ['foo_', 'api.(total)x', 'foo_api', '(total)x'],
    ['foo_', 'total', 'foo_total', null],
    ['foo_', 'total.total', 'foo_total', '(total)'],
    ['foo_', 'api.totals', 'foo_api', 'totals'],
    ['foo_', 'api.a.total', 'foo_api', 'a.total'],
    ['foo_', '.rest', 'foo_', 'rest'],
    ['foo_', 'api..rest', 'foo_api', '.rest'],
    ['foo_', '{a}{b}.c{d}', 'foo__a__b_', 'c{d}'],
    ['{tag}:', 'a}b.c', '{tag}:a_b', 'c'],
    ['foo_', '{pid}', 'foo__pid_', null],
    ['', '__proto__.constructor', '__proto__', 'constructor'],
  ];
  for (const [collection, name, hash, field] of table) {
    it(`counts ${name} of ${collection || 'no prefix'} in ${hash}, field ${field}`, () => {
      const layout = createLayout('split', [collection]);
      expect(layout.name).to.equal('split');
      expect(layout.place(name)).to.deep.equal([{ hash, field }]);
    });
  }

  it('counts in each collection, in their order', () => {
    expect(createLayout('split', ['b_', 'a_']).place('x.y')).to.deep.equal([
      { hash: 'b_x', field: 'y' },
      { hash: 'a_x', field: 'y' },
    ]);
  });
});
