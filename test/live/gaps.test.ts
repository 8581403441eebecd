import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import type {
  Frame,
  Watched,
  WatchedCounter,
  WatchedHeld,
  WatchedTiming,
} from '../../src/live/frame.ts';
import { createLiveRig, openFrames } from './rig.ts';

/** What a reader knows of one name: what begins at or after the first of a frame replaces it. */
function append<Item>(to: Item[], items: readonly Item[], second: (item: Item) => number): void {
  if (items.length === 0) return;
  while (to.length > 0 && second(to.at(-1)!) >= second(items[0]!)) to.pop();
  to.push(...items);
}

function isHeld(one: Watched): one is WatchedHeld {
  return one.kind === 'gauge' || one.kind === 'set';
}

/** A reader who keeps what he is told, as the page does. */
class Reader {
  readonly known = new Map<string, unknown[]>();
  second = 0;

  take(frame: Frame): void {
    if (frame.reset) this.known.clear();
    this.second = frame.second;
    for (const one of frame.watched) {
      if (one.kind === 'timing') {
        append(
          this.#of(`t${one.name}`) as WatchedTiming['columns'],
          one.columns,
          (at) => at.second,
        );
        continue;
      }
      if (isHeld(one)) {
        append(this.#of(one.kind + one.name) as WatchedHeld['points'], one.points, ([at]) => at);
        continue;
      }
      const counters: readonly WatchedCounter[] = one.kind === 'prefix' ? one.counters : [one];
      const mark = one.kind === 'prefix' ? 'p' : 'c';
      if (one.kind === 'prefix') this.#forgetOthers(counters);
      for (const { name, points } of counters) {
        append(this.#of(mark + name) as WatchedCounter['points'], points, ([at]) => at);
      }
    }
  }

  #of(key: string): unknown[] {
    const found = this.known.get(key) ?? [];
    this.known.set(key, found);
    return found;
  }

  #forgetOthers(counters: readonly WatchedCounter[]): void {
    const names = new Set(counters.map(({ name }) => `p${name}`));
    for (const key of this.known.keys()) {
      if (key.startsWith('p') && !names.has(key)) this.known.delete(key);
    }
  }
}

describe('What frames tell', () => {
  it('is the same in the end for one who missed some, and for one who came again', async () => {
    const names = fc.constantFrom('a', 'b', 'long');
    const second = fc.record({
      counts: fc.array(fc.tuple(names, fc.integer({ min: -3, max: 9 })), { maxLength: 3 }),
      times: fc.array(fc.tuple(names, fc.integer({ min: 0, max: 50 })), { maxLength: 3 }),
      writes: fc.array(
        fc.tuple(
          fc.constantFrom<'gauges' | 'sets'>('gauges', 'sets'),
          names,
          fc.constantFrom(0, 1.5, 12, NaN),
        ),
        { maxLength: 3 },
      ),
      isMissed: fc.boolean(),
      comesAgain: fc.boolean(),
    });
    const span = fc.constantFrom(300, 7200);
    const seconds = fc.array(second, { minLength: 1, maxLength: 70 });
    await fc.assert(
      fc.asyncProperty(span, seconds, async (wide, script) => {
        const rig = createLiveRig();
        const query = (since: number): string => {
          const wishes = ['t', 'c', 'g', 's'].flatMap((key) => {
            return ['a', 'b', 'long'].map((name) => `${key}=${since}:${name}`);
          });
          return `${wishes.join('&')}&p=${since}:&span=${wide}&rows=0`;
        };
        const steady = { reader: new Reader(), stream: openFrames(rig, query(0)) };
        const absent = { reader: new Reader(), stream: openFrames(rig, query(0)) };
        const again = { reader: new Reader(), stream: openFrames(rig, query(0)) };
        const read = async ({ reader, stream }: typeof steady): Promise<void> => {
          reader.take(await stream.next());
        };
        for (const { counts, times, writes, isMissed, comesAgain } of script) {
          for (const [name, amount] of counts) rig.count(name, amount);
          for (const [name, value] of times) rig.measure(name, value);
          for (const one of writes) rig.write(...one);
          await rig.pass();
          await read(steady);
          if (!isMissed) await read(absent);
          if (comesAgain) {
            again.stream.close();
            again.stream = openFrames(rig, query(again.reader.second));
          }
          await read(again);
        }
        // Who is busiest was looked for while one was away: all see what is found then.
        for (const pause of [6, 1]) {
          await rig.pass(pause);
          for (const one of [steady, absent, again]) await read(one);
        }
        expect(absent.reader.known).to.deep.equal(steady.reader.known);
        expect(again.reader.known).to.deep.equal(steady.reader.known);
        for (const { stream } of [steady, absent, again]) stream.close();
        expect(rig.live.streams).to.equal(0);
      }),
      { numRuns: 40 },
    );
  });
});
