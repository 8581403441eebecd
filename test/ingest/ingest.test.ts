import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { setImmediate } from 'node:timers/promises';
import { readUdpSocket } from '../../src/ingest/proc-net-udp.ts';
import { Stat } from '../../src/ledger/stat.ts';
import { DATAGRAM_BYTES_MAX, Kind } from '../../src/protocol/parse.ts';
import { addDrained, drainOf, nothingDrained, rejected } from '../support/ledger-bench.ts';
import { chosen, endAll, openSender, send, start, startFault, take, takeInto } from './rig.ts';

for (const receiver of ['dgram', 'recvmmsg'] as const) {
  describe(`the ingest, by ${receiver}`, () => {
    beforeEach(() => void (chosen.receiver = receiver));
    afterEach(endAll);

    describe('binds', () => {
      for (const host of ['127.0.0.1', '::1']) {
        it(`a free port of ${host}, and reads what is sent there`, async () => {
          const { ingest, bound } = await start({ host });
          expect(bound).to.include({ receiver, address: host });
          expect(bound.port).to.be.above(0);
          expect(bound.receiveBufferBytes).to.be.above(0);
          const sender = await openSender(host);
          await send(sender, bound, 'hits:1|c\nload:20:30|ms|@0.5', 'hits:2|c', 'bad');
          const { counters, timings, stats, refusals } = await take(ingest, 3);
          expect([...counters]).to.deep.equal([['hits', [3, 2]]]);
          expect(timings.get('load')).to.deep.equal([
            [20, 2],
            [30, 2],
          ]);
          expect(stats[Stat.bytes]).to.equal(38);
          expect(rejected(stats)).to.deep.equal({ no_separator: 1 });
          const from = host === '::1' ? '[::1]' : host;
          const source = `${from}:${sender.address().port}`;
          expect(refusals.get('no_separator')).to.deep.equal(['bad', source]);
        });
      }

      it('no port that another holds, and says what to do', async () => {
        const holder = await openSender('127.0.0.1');
        const { port } = holder.address();
        const held = await startFault({}, port);
        expect(held.message).to.match(new RegExp(`^udp 127.0.0.1:${port} is in use: .*--port`));
        const { bound } = await start({});
        const second = await startFault({}, bound.port);
        expect(second.message).to.match(/ is in use: stop the program that holds it/);
      });

      it('no address of another machine, and says what to do', async () => {
        const fault = await startFault({ host: '192.0.2.1' });
        expect(fault.message).to.match(/^udp 192.0.2.1:0 is no address of this machine: .*--host/);
      });
    });

    it('reads the largest datagram there is, whole', async () => {
      for (const host of ['127.0.0.1', '::1']) {
        const { ingest, bound } = await start({ host });
        const lines = 'packed:1|c\n'.repeat(5000);
        const last = `end:${'0'.repeat(DATAGRAM_BYTES_MAX - lines.length - 7)}7|c`;
        expect(lines.length + last.length).to.equal(DATAGRAM_BYTES_MAX);
        await send(await openSender(host), bound, lines + last);
        const { counters, stats } = await take(ingest, 1);
        expect(Object.fromEntries(counters)).to.deep.equal({ packed: [5000, 5000], end: [7, 1] });
        expect(stats[Stat.bytes]).to.equal(DATAGRAM_BYTES_MAX);
      }
    });

    it('tells when the timing log is half full', async () => {
      const { halfFull, ingest, bound } = await start({}, 8);
      await send(await openSender('127.0.0.1'), bound, 't:1:2:3:4:5:6|ms');
      await halfFull;
      expect(drainOf(await ingest.flip()).timings.get('t')).to.have.length(6);
    });

    describe('renewed', () => {
      it('knows the seeds and no other name', async () => {
        const { ingest, bound } = await start({}, 64, 2);
        const sender = await openSender('127.0.0.1');
        await send(sender, bound, 'old:1|c', 'kept:1|c', 'new:1|c');
        expect(rejected((await take(ingest, 3)).stats)).to.deep.equal({ key_limit: 1 });
        const seeds = [
          { kind: Kind.counter, name: 'kept' },
          { kind: Kind.timing, name: 'load' },
        ];
        const old = await ingest.renew(seeds);
        expect(drainOf(old.reader)).to.deep.equal(nothingDrained());
        await send(sender, bound, 'kept:2|c', 'load:3|ms', 'old:4|c');
        const { counters, timings, stats } = await take(ingest, 3);
        expect([...counters]).to.deep.equal([['kept', [2, 1]]]);
        expect([...timings]).to.deep.equal([['load', [[3, 1]]]]);
        expect(rejected(stats)).to.deep.equal({ key_limit: 1 });
      });

      it('again and again under traffic, loses and doubles nothing', async () => {
        const { ingest, bound } = await start({}, 1 << 16);
        const sender = await openSender('127.0.0.1');
        const packets = 20_000;
        let sending = true;
        const sent = (async (): Promise<void> => {
          for (let at = 0; at < packets; at += 20) {
            const numbers = Array.from({ length: 20 }, (_, offset) => at + offset);
            await send(
              sender,
              bound,
              ...numbers.map((n) => `hits:1|c\nload:${n}|ms\nn${n % 9}:1|c`),
            );
            // One turn of the loop, so that the answers of the thread are heard meanwhile.
            await setImmediate();
          }
        })().finally(() => (sending = false));
        const total = nothingDrained();
        let renewals = 0;
        for (; sending; renewals++) {
          addDrained(total, drainOf(await ingest.flip()));
          addDrained(
            total,
            drainOf((await ingest.renew([{ kind: Kind.counter, name: 'hits' }])).reader),
          );
        }
        await sent;
        // What the kernel threw away never reached the program; with its usual buffer that is none.
        const read = packets - readUdpSocket(bound.address, bound.port)!.drops;
        await takeInto(total, ingest, read);
        expect(renewals).to.be.above(5);
        expect(total.counters.get('hits')).to.deep.equal([read, read]);
        const others = [...total.counters].filter(([name]) => name !== 'hits');
        expect(others.reduce((sum, [, [count]]) => sum + count, 0)).to.equal(read);
        const values = total.timings.get('load')!.map(([value]) => value);
        expect(values.length).to.equal(read);
        expect(values).to.deep.equal(values.toSorted((a, b) => a - b));
        expect(new Set(values).size).to.equal(read);
      });
    });

    describe('stopped', () => {
      it('has read what lay unread in the socket, and has closed it', async () => {
        const { ingest, bound } = await start({}, 1 << 20);
        const sender = await openSender('127.0.0.1');
        // Each takes far longer to read than to send, so that most of them lie unread.
        const packet = `load${':1'.repeat(10_000)}|ms\nhits:1|c`;
        const packets = Array<string>(30).fill(packet);
        await send(sender, bound, ...packets);
        const read = 30 - readUdpSocket(bound.address, bound.port)!.drops;
        expect(await ingest.stop(10_000)).to.equal(true);
        const { counters, timings, stats } = drainOf(await ingest.flip());
        expect(stats[Stat.datagrams]).to.equal(read);
        expect(counters.get('hits')).to.deep.equal([read, read]);
        expect(timings.get('load')!.length).to.equal(10_000 * read);
        // Free again.
        await openSender('127.0.0.1', bound.port);
      });

      it('says so if the deadline came first', async () => {
        const { ingest } = await start({});
        expect(await ingest.stop(0)).to.equal(false);
      });
    });
  });
}
