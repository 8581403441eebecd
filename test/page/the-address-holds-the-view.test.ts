import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { CURVES, FIRST_VIEW, readView, type View, writeView } from '../../src/page/view.ts';

const second = fc.integer({ min: 1, max: 2 ** 31 });
const views: fc.Arbitrary<View> = fc.record({
  shown: fc.uniqueArray(
    fc.record({
      kind: fc.constantFrom('timing', 'counter', 'gauge', 'set', 'prefix'),
      name: fc.string({ minLength: 1 }),
    }),
    { maxLength: 12, selector: ({ kind, name }) => `${kind} ${name}` },
  ),
  span: fc.constantFrom(300, 7200),
  pausedAt: fc.option(second, { nil: undefined }),
  brush: fc.option(
    fc.tuple(second, fc.integer({ min: 1, max: 300 })).map(([from, length]) => {
      return { from, to: from + length };
    }),
    { nil: undefined },
  ),
  curves: fc.subarray([...CURVES]),
  search: fc.string(),
  kind: fc.constantFrom('all', 'timing', 'counter', 'gauge', 'set'),
  sort: fc.constantFrom('rate', 'p99', 'name'),
});

describe("The page's address", () => {
  it('holds the whole view: read back, it is the same', () => {
    fc.assert(
      fc.property(views, (view) => {
        expect(readView(writeView(view))).to.deep.equal(view);
      }),
    );
  });

  it('is empty for the first view', () => {
    expect(writeView(FIRST_VIEW)).to.equal('');
    for (const nothing of ['', '#', '#nonsense', '#span=7&at=x&brush=9-3&kind=?&sort=?']) {
      expect(readView(nothing), nothing).to.deep.equal(FIRST_VIEW);
    }
  });

  it('never throws, whatever somebody has written into it', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { shown } = readView(`#${text}`);
        expect(shown.length).to.be.at.most(12);
      }),
    );
  });

  it('names a thing once, and not more than twelve', () => {
    expect(readView('#t=&c=&p=').shown).to.deep.equal([{ kind: 'prefix', name: '' }]);
    expect(readView('#t=a&t=a&c=a').shown).to.deep.equal([
      { kind: 'timing', name: 'a' },
      { kind: 'counter', name: 'a' },
    ]);
    const many = Array.from({ length: 20 }, (_, at) => `t=${at}`).join('&');
    expect(readView(`#${many}`).shown).to.have.length(12);
  });
});
