/** The long history as plainly as can be: everything that ever came is kept. */
export interface HistoryModel {
  add(name: string, second: number, amount: number): void;
  /** What came last in this second or before is unknown from now on, but to who is a member. */
  forget(second: number): void;
  advance(end: number): void;
  members(): string[];
  /** Of each member the spans, and how much there was in each; up to a second. */
  spans(end: number): [name: string, spans: [second: number, amount: number][]][];
}

interface Name {
  adds: [second: number, amount: number][];
  last: number;
  score: number;
  isMember: boolean;
  /** From here on spans are kept. */
  from: number;
}

/**
 * Creates the model.
 *
 * @param late how many seconds less than 300 are known when a span has just ended.
 */
export function createHistoryModel(limit: number, late: number): HistoryModel {
  const names = new Map<string, Name>();
  let rankedTo = 0;

  return {
    add(name, second, amount) {
      let one = names.get(name);
      if (one === undefined) {
        one = { adds: [], last: 0, score: 0, isMember: false, from: 0 };
        names.set(name, one);
      }
      one.adds.push([second, amount]);
      one.last = second;
    },
    forget(second) {
      for (const one of names.values()) {
        if (!one.isMember && one.last <= second) one.score = 0;
      }
    },
    advance(end) {
      const known = firstSpan(end - 300 + late);
      for (let begin = Math.max(rankedTo, known); begin < end; begin += 30) {
        for (const one of names.values()) one.score = one.score * 0.9 + amountOf(one, begin);
      }
      rankedTo = end;
      const worth = (one: Name): number => one.score * (one.isMember ? 1.1 : 1);
      const ranked = [...names.values()]
        .filter((one) => one.score > 0)
        .toSorted((a, b) => worth(b) - worth(a));
      for (const [at, one] of ranked.entries()) {
        const isMember = at < limit;
        if (isMember && !one.isMember) one.from = known;
        one.isMember = isMember;
        if (!isMember && one.last <= end - 300) one.score = 0;
      }
      for (const one of names.values()) {
        if (one.isMember && keptOf(one, end).length === 0) one.isMember = false;
      }
    },
    members: () => [...names].filter(([, one]) => one.isMember).map(([name]) => name),
    spans: (end) =>
      [...names]
        .filter(([, one]) => one.isMember)
        .map(([name, one]) => [name, keptOf(one, rankedTo, end)]),
  };

  /** What is older than two hours when a span ends is let go of. */
  function keptOf(one: Name, at: number, end = at): [second: number, amount: number][] {
    const kept: [number, number][] = [];
    for (let begin = Math.max(one.from, at - 7200); begin < end; begin += 30) {
      const amount = amountOf(one, begin);
      if (amount > 0) kept.push([begin, amount]);
    }
    return kept;
  }

  function amountOf({ adds }: Name, begin: number): number {
    return adds
      .filter(([second]) => second >= begin && second < begin + 30)
      .reduce((sum, [, amount]) => sum + amount, 0);
  }
}

function firstSpan(second: number): number {
  return Math.ceil(second / 30) * 30;
}
