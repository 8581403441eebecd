import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createIngest } from '../../src/ingest/ingest.ts';
import { plainLedgers } from '../../src/ingest/kept-ledger.ts';
import { drainOf } from '../support/ledger-bench.ts';

describe('an ingest thread with nothing to read', () => {
  for (const receiver of ['dgram', 'recvmmsg'] as const) {
    it(`by ${receiver}, answers at once, and stops at once`, async () => {
      const ingest = createIngest(
        {
          host: '127.0.0.1',
          names: 'statsd',
          createLedger: plainLedgers({ entriesMax: 8, nameBytesMax: 100, timingsMax: 8 }),
          hashSeed: 1,
          receiveBufferBytes: 1 << 20,
          receiver,
        },
        { onHalfFull: () => {}, onDeath: () => {} },
      );
      await ingest.start(0);
      let tookMs = 0;
      for (let flips = 0; flips < 20; flips++) {
        await pause(15); // after ten rests of a millisecond at most it sleeps
        const startMs = performance.now();
        drainOf(await ingest.flip());
        tookMs += performance.now() - startMs;
      }
      await pause(15);
      const startMs = performance.now();
      expect(await ingest.stop(1000)).to.equal(true);
      tookMs += performance.now() - startMs;
      await ingest.end();
      // Were it not woken, it would sleep for a second each time.
      expect(tookMs / 21).to.be.below(50);
    });
  }
});
