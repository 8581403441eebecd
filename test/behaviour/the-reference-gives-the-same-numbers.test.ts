import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

import { referenceReading } from '../support/reference-reading.ts';
import { type Rule } from '../support/reference-rule.ts';
import { RULES } from '../support/reference-rules.ts';
import { type Ours, runBesideReference, startOurs } from '../support/reference-run.ts';
import { type Numbers, startReference } from '../support/reference-statsd.ts';
import { openSender } from '../support/udp.ts';

describe('the reference gives the same numbers', () => {
  it('of thousands of lines, most of them valid (npm run prove:reference has more)', async () => {
    const { sent, names, differences } = await runBesideReference(1, 3000);
    expect(differences).to.deep.equal([]);
    expect(sent).to.be.above(2700);
    for (const [kind, count] of Object.entries(names)) expect(count, kind).to.be.above(100);
  });
});

describe('the reference differs by rule alone', () => {
  let ours: Ours | undefined;
  let numbers: { reference: Numbers; statcol: Numbers };
  const shown = { reference: new Map<string, string>(), statcol: new Map<string, string>() };

  before(async () => {
    const all = RULES.flatMap((rule) => linesOf(rule));
    const harmless = RULES.filter(({ deadly }) => deadly !== true).flatMap((rule) => linesOf(rule));
    const [reference] = await Promise.all([
      startReference(),
      startOurs().then((one) => (ours = one)),
    ]);
    const sampled = ['sampled:10|ms|@0.1', 'sampled:20|ms'];
    const sender = openSender(reference.port);
    const datagrams = [...harmless, ...sampled].map(bytes);
    for (const [at, datagram] of datagrams.entries()) {
      await sender.send(datagram);
      if (at % 20 === 0) await reference.hasRead(at + 1);
    }
    await reference.hasRead(datagrams.length);
    sender.close();
    await ours!.take([...all, ...sampled].map(bytes), all.length + sampled.length);
    numbers = { reference: await reference.stop(), statcol: await ours!.numbers() };
    for (const side of SIDES) shown[side] = asLines(numbers[side]);
  });
  after(() => ours?.stop());

  for (const rule of RULES) {
    it(`${rule.name}: the reference ${rule.reference}; statcol: ${rule.statcol}`, () => {
      for (const [lines, reference, statcol] of rule.examples) {
        if (rule.deadly !== true) expect(reference, lines).not.to.equal(statcol);
        const keys = `${reference} ${statcol}`
          .split(' ')
          .filter((text) => text !== '')
          .map(keyOf);
        const found = (side: Side): string[] =>
          keys.map((key) => shown[side].get(key)).filter((line) => line !== undefined);
        for (const [side, wanted] of [
          ['statcol', statcol],
          ['reference', reference],
        ] as const) {
          const expected = wanted === '' ? [] : wanted.split(' ');
          if (side === 'reference' && rule.deadly === true) continue;
          expect(new Set(found(side)), `${side}: ${lines}`).to.deep.equal(new Set(expected));
        }
      }
    });
  }

  it('and each of these rules is needed: of an example of it no other speaks', () => {
    for (const rule of RULES) {
      for (const [lines] of rule.examples) {
        const isMeant = lines.split('\n').some((line) => rule.applies(referenceReading(line)));
        expect(isMeant, `${rule.name}: ${lines}`).to.equal(true);
      }
      const alone = linesOf(rule).filter((line) => {
        const reading = referenceReading(line);
        return RULES.every((one) => one.applies(reading) === (one === rule));
      });
      expect(alone, rule.name).not.to.deep.equal([]);
    }
  });

  it('and of nothing else than what the rules tell', () => {
    for (const side of SIDES) {
      const rules = RULES.filter(({ deadly }) => side === 'statcol' || deadly !== true);
      const told = rules.flatMap(({ examples }) =>
        examples.flatMap((example) => example[side === 'reference' ? 1 : 2].split(' ')),
      );
      const wanted = new Set([...told.filter((text) => text !== ''), 'sampled:10,20|ms']);
      expect(new Set(shown[side].values()), side).to.deep.equal(wanted);
    }
  });

  it('and by the mean of sampled timings: of the values, or of what they stand for', () => {
    const [theirs, our] = SIDES.map((side) => numbers[side].summaries.get('sampled')!);
    expect(theirs).to.deep.equal({ count: 11, min: 10, max: 20, mean: 15 });
    expect(our).to.deep.include({ count: 11, min: 10, max: 20 });
    expect(our!.mean).to.be.closeTo(120 / 11, 1e-12);
  });

  for (const rule of RULES.filter(({ deadly }) => deadly)) {
    it(`and it ends: ${rule.name}`, async () => {
      const reference = await startReference();
      const sender = openSender(reference.port);
      await sender.send(linesOf(rule)[0]!);
      sender.close();
      const { code, stderr } = await reference.gone();
      expect(code).to.equal(1);
      expect(stderr).to.include('TypeError');
    });
  }
});

const SIDES = ['reference', 'statcol'] as const;
type Side = (typeof SIDES)[number];

function linesOf(rule: Rule): string[] {
  return rule.examples.flatMap(([lines]) => lines.split('\n'));
}

function bytes(line: string): Buffer {
  return Buffer.from(line, 'latin1');
}

/** `name:value|type` → `name|type`. */
function keyOf(line: string): string {
  return line.replace(/:[^:]*\|/, '|');
}

/** All that is held, each as `name:value|type`, by its name and type. */
function asLines({ counters, gauges, sets, timings }: Numbers): Map<string, string> {
  const kinds = { c: counters, g: gauges, s: sets, ms: timings };
  const lines = Object.entries(kinds).flatMap(([type, values]) =>
    [...values].map(([name, value]) => `${name}:${String(value)}|${type}`),
  );
  return new Map(lines.map((line) => [keyOf(line), line]));
}
