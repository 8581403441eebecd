import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createBackoff } from '../../src/flush/backoff.ts';
import type { Lane, LanePart, Share } from '../../src/flush/lanes.ts';
import {
  CHUNK_PARTS_MAX,
  cutChunks,
  drop,
  hold,
  newShare,
  release,
  written,
} from '../../src/flush/lanes.ts';

describe('Lanes', () => {
  it('cut parts into chunks of at most a thousand, in order', () => {
    const one = lane('h');
    const parts = Array.from({ length: 2 * CHUNK_PARTS_MAX + 1 }, (_, at) => part(`n${at}`, at));
    const chunks = cutChunks(one, false, parts);
    expect(chunks.map((chunk) => chunk.parts.length)).to.deep.equal([1000, 1000, 1]);
    expect(chunks.flatMap((chunk) => chunk.parts)).to.deep.equal(parts);
    expect(cutChunks(one, false, [])).to.deep.equal([]);
  });

  it('number each chunk one above the last that was cut', () => {
    const one = lane('h', 41);
    const [first] = cutChunks(one, true, [part('a', 2)]);
    const [second] = cutChunks(one, false, [part('a', 3)]);
    expect(first).to.include({ lane: one, seq: 42, total: true });
    expect(second).to.include({ lane: one, seq: 43, total: false });
    expect(one.seq).to.equal(43);
  });

  it('deliver samples only with the last of a share’s parts', () => {
    const share = shareOf('a', 5, 3);
    expect([1, 2, 3].map(() => written(part('a', 1, share)))).to.deep.equal([0, 0, 5]);
  });

  it('merge what is held of a name, with its samples, and give it back once', () => {
    const one = lane('h');
    hold(one, part('a', 2, shareOf('a', 3)));
    hold(one, part('b', 7, shareOf('b', 1)));
    hold(one, part('a', -5, shareOf('a', 4)));
    const parts = release(one, new Map());
    expect(parts.map(({ field, amount, share }) => [field, amount, share.samples])).to.deep.equal([
      ['a', -3, 7],
      ['b', 7, 1],
    ]);
    expect(release(one, new Map())).to.deep.equal([]);
    expect(parts.map(written)).to.deep.equal([7, 1]);
  });

  it('let one hash alone answer for samples that two hold', () => {
    const [one, two] = [lane('one'), lane('two')];
    const share = shareOf('a', 4, 2);
    hold(one, part('a', 1, share));
    hold(two, part('a', 1, share));
    expect([one.held.get('a')!.samples, two.held.get('a')!.samples]).to.deep.equal([4, 0]);
    expect([two, one].map((each) => written(release(each, new Map())[0]!))).to.deep.equal([0, 4]);
  });

  it('do not deliver what is held elsewhere', () => {
    const share = shareOf('a', 4, 2);
    hold(lane('one'), part('a', 1, share));
    expect(written(part('a', 1, share))).to.equal(0);
  });

  describe('count what is lost', () => {
    it('once, however many hashes cannot take it', () => {
      const share = shareOf('a', 4, 2);
      expect([drop(part('a', 1, share)), drop(part('a', 1, share))]).to.deep.equal([4, 0]);
    });

    it('also where another hash takes it', () => {
      const share = shareOf('a', 4, 2);
      expect([drop(part('a', 1, share)), written(part('a', 1, share))]).to.deep.equal([4, 0]);
    });

    it('and no longer as held', () => {
      const one = lane('one');
      const share = shareOf('a', 4, 2);
      hold(one, part('a', 1, share));
      expect(drop(part('a', 1, share))).to.equal(4);
      expect(release(one, new Map())[0]).to.deep.include({ amount: 1 });
      const after = lane('after');
      const dropped = shareOf('b', 2, 2);
      drop(part('b', 1, dropped));
      hold(after, part('b', 1, dropped));
      expect(after.held.get('b')).to.include({ field: 'b', amount: 1, samples: 0 });
    });
  });
});

function lane(hash: string, seq = 0): Lane {
  return { hash, seq, held: new Map(), backoff: createBackoff(1, 2, () => 0), retryAtMs: 0 };
}

function shareOf(name: string, samples: number, open = 1): Share {
  return Object.assign(newShare(name, samples), { open });
}

function part(name: string, amount: number, share = shareOf(name, 1)): LanePart {
  return { field: name, amount, share };
}
