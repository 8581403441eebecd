import type { Account, Stats } from '../../src/index.ts';
import { seededRandom } from './random.ts';

/** Counts into a stats buffer at random, knows what it has counted, and watches the account. */
export interface Teller {
  /** What was counted, per name, as a hash has it when all of it is written. */
  readonly counted: Record<string, string>;
  /** Accounts in which samples were not delivered + pending + dropped. */
  readonly unbalanced: readonly Account[];
  /** Increments a few names, and looks at the account before and after. */
  count(): void;
  /** Looks at the account. */
  look(): void;
}

const NAMES = 20;

/** Creates a teller. */
export function createTeller(stats: Stats, seed: number): Teller {
  const random = seededRandom(seed);
  const sums = new Map<string, number>();
  const unbalanced: Account[] = [];
  let increments = 0;
  return {
    get counted() {
      return Object.fromEntries(Array.from(sums, ([name, sum]) => [name, String(sum)]));
    },
    unbalanced,
    count() {
      for (let n = 0; n < 5; n++) {
        const name = `name:${Math.floor(random() * NAMES)}`;
        const amount = Math.floor(random() * 19) - 9;
        stats.increment(name, amount);
        sums.set(name, (sums.get(name) ?? 0) + amount);
        increments++;
        look();
      }
    },
    look,
  };

  function look(): void {
    const account = stats.vitals();
    const { samples, delivered, pending } = account;
    const dropped = Object.values(account.dropped).reduce((sum, one) => sum + one, 0);
    if (samples !== increments || samples !== delivered + pending + dropped) {
      unbalanced.push(account);
    }
  }
}
