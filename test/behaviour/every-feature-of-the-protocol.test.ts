import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

import type { Vitals } from '../../src/vitals.ts';
import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { naiveLines } from '../support/naive-parser.ts';
import { type Feature, FLAGS, renderTable, withTable } from '../support/protocol-feature.ts';
import { CONSOLE_FEATURES } from '../support/protocol-features-console.ts';
import { END_FEATURES } from '../support/protocol-features-ends.ts';
import { LINE_FEATURES } from '../support/protocol-features-lines.ts';
import { TAG_FEATURES } from '../support/protocol-features-tags.ts';
import { askAdmin } from '../support/admin.ts';
import { openTcp } from '../support/tcp.ts';
import { sendUdp } from '../support/udp.ts';
import { openUnixSender } from '../support/unix.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const GROUPS = [...LINE_FEATURES, ...TAG_FEATURES, ...END_FEATURES, ...CONSOLE_FEATURES];
const FEATURES = GROUPS.flatMap(({ features }) => features);
const KINDS = ['counters', 'timings', 'gauges', 'sets'] as const;

/** What the API tells of each name. */
type Told = Record<(typeof KINDS)[number], Map<string, unknown>>;

describe('every feature of the protocol', () => {
  const collectors = new Map<string, CollectorProcess>();
  const folder = mkdtempSync(join(tmpdir(), 'statcol-features-'));
  const path = join(folder, 'socket');
  /** By the flags of a collector. */
  const told = new Map<string, Told>();
  /** By what they are: how many lines of a feature were accepted, and refused for what. */
  const read = new Map<string, Vitals['lines']>();
  /** What a connection has said. */
  const answers = new Map<string, string>();
  const passed = new Set<string>();

  before(async () => {
    const all = [`--tcp 0 --unix ${path}`, ...FLAGS];
    await Promise.all(
      all.map(async (flags, at) => {
        const more = ['--counter-interval', '20', '--log-level', 'error'];
        const collector = await startCollector([...flags.split(' '), ...more]);
        const key = at === 0 ? '' : flags;
        collectors.set(key, collector);
        for (const one of FEATURES.filter((feature) => flagsOf(feature) === key)) {
          read.set(one.what, await give(collector, one));
        }
        const ended = await collector.until(
          ({ counters, gauges, sets }) => counters.pending + gauges.pending + sets.pending === 0,
        );
        expect(linesOf(ended)).to.equal(sumOf(FEATURES.filter((one) => flagsOf(one) === key)));
        told.set(key, await ask(collector));
      }),
    );
  });

  after(async () => {
    for (const collector of collectors.values()) {
      collector.signal('SIGKILL');
      await collector.exited();
    }
    rmSync(folder, { recursive: true });
  });

  /** Sends what a feature has, waits until it is read, and returns what that has added to lines. */
  async function give(collector: CollectorProcess, feature: Feature): Promise<Vitals['lines']> {
    const was = await collector.vitals();
    const { over, given = '', sent } = feature;
    const bytes = sent.join('').length;
    const isByTcp = over?.startsWith('tcp') === true;
    const datagrams = over === undefined || over === 'unix' ? sent.length : 0;
    const isRead = (now: Vitals): boolean =>
      linesOf(now) - linesOf(was) >= countOf(feature) &&
      datagramsOf(now) - datagramsOf(was) >= datagrams &&
      (!isByTcp || now.tcp.bytes - was.tcp.bytes >= bytes);
    if (over === undefined) {
      await sendUdp(collector.udpPort, ...sent.map((text) => Buffer.from(text, 'latin1')));
    } else if (over === 'unix') {
      const sender = await openUnixSender(path);
      for (const datagram of sent) await sender.send(datagram);
      sender.close();
    } else if (over === 'admin') {
      if (given !== '') await sendUdp(collector.udpPort, given);
      await collector.until((now) => isRead(now) && now.counters.pending === 0);
      answers.set(
        feature.what,
        await askAdmin(collector.adminPort, sent.join('').replace(/\n$/, '')),
      );
    } else {
      const sender = await openTcp(collector.tcpPort);
      for (const segment of sent) await sender.write(segment);
      if (over === 'tcp') await sender.end();
      else await collector.until(isRead).then(() => sender.reset());
      await collector.until(({ tcp }) => tcp.connections === 0);
    }
    const { lines } = await collector.until(isRead);
    const rejected = Object.entries(lines.rejected)
      .map(([reason, count]) => [reason, count - (was.lines.rejected[reason] ?? 0)] as const)
      .filter(([, count]) => count > 0);
    return {
      accepted: lines.accepted - was.lines.accepted,
      rejected: Object.fromEntries(rejected),
    };
  }

  for (const { title, features } of GROUPS) {
    describe(title, () => {
      for (const feature of features) {
        it(feature.what, () => {
          const { becomes, what } = feature;
          const refused = becomes.refused ?? {};
          expect(read.get(what)).to.deep.equal({
            accepted: countOf(feature) - total(Object.values(refused)),
            rejected: refused,
          });
          const { answer } = becomes;
          if (typeof answer === 'object') expect(answers.get(what)).to.match(answer.like);
          else expect(answers.get(what)).to.equal(answer);
          for (const kind of KINDS) {
            const held = told.get(flagsOf(feature))![kind];
            for (const [name, value] of Object.entries(becomes[kind] ?? {})) {
              expect(held.get(name), `${kind} ${name}`).to.deep.equal(value);
            }
          }
          passed.add(what);
        });
      }
    });
  }

  // A describe of its own, or it would run before all of the others.
  describe('and the README', () => {
    it('has a table of them all, each of which has passed; nothing else was counted', () => {
      const names = (of: object | undefined): string[] => Object.keys(of ?? {});
      for (const [flags, held] of told) {
        const rows = FEATURES.filter((feature) => flagsOf(feature) === flags);
        for (const kind of KINDS) {
          const wanted = rows.flatMap(({ becomes }) => names(becomes[kind]));
          expect([...held[kind].keys()].toSorted()).to.deep.equal(wanted.toSorted());
        }
      }
      expect([...passed]).to.deep.equal(FEATURES.map(({ what }) => what));
      const readme = readFileSync(README, 'utf8');
      const wanted = withTable(readme, renderTable(GROUPS));
      if (process.env['STATCOL_WRITE_TABLE'] === '1') writeFileSync(README, wanted);
      else expect(readme === wanted, 'as `npm run write:table` would write it').to.equal(true);
    });
  });
});

function flagsOf({ flag }: Feature): string {
  return flag === undefined ? '' : FLAGS.find((flags) => ` ${flags} `.includes(` ${flag} `))!;
}

function countOf({ lines, over, given, sent }: Feature): number {
  const datagrams = over === 'admin' ? [given ?? ''] : sent;
  return lines ?? total(datagrams.map((datagram) => naiveLines(datagram).length));
}

function sumOf(features: readonly Feature[]): number {
  return total(features.map(countOf));
}

function linesOf({ lines }: Vitals): number {
  return lines.accepted + total(Object.values(lines.rejected));
}

function datagramsOf({ udp, unix }: Vitals): number {
  return udp.datagrams + unix.datagrams;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}

async function ask(collector: CollectorProcess): Promise<Told> {
  const of = async (path: string): Promise<Map<string, unknown>> => {
    const found = await collector.json<Record<string, object>>(`api/${path}`);
    return new Map(Object.entries(path === 'timings' ? found : (found['statcol:stats'] ?? {})));
  };
  const timings = new Map<string, unknown>();
  for (const [name, summary] of await of('timings')) {
    const { count, min, max } = summary as Record<'count' | 'min' | 'max', number>;
    timings.set(name, [count, min, max]);
  }
  return {
    counters: await of('counters'),
    gauges: await of('gauges'),
    sets: await of('sets'),
    timings,
  };
}
