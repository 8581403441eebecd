import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';

import { type CollectorProcess, startCollector } from '../support/collector-process.ts';
import { type RecordingTrap, startTrap } from '../support/recording-trap.ts';
import { sendUdp } from '../support/udp.ts';

// Nothing from outside makes it throw, so the fault is planted: a module loaded before the program
// does something on SIGUSR2.
const planted = (code: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2',()=>{${code}});`)}`;

describe('an uncaught error still delivers what was accepted', () => {
  let trap: RecordingTrap;
  let collector: CollectorProcess;

  beforeEach(async () => {
    trap = await startTrap();
  });
  afterEach(async () => {
    collector.signal('SIGKILL');
    await collector.exited();
    await trap.close();
  });

  const faults: [what: string, code: string, said: RegExp][] = [
    ['thrown on the main thread', "throw new Error('planted fault')", /planted fault/],
    ['a promise nobody awaits', "Promise.reject(new Error('planted fault'))", /planted fault/],
  ];
  for (const [what, code, said] of faults) {
    it(`${what}: everything is delivered, the exit code is 1`, async () => {
      const flags = ['--trap', trap.url, '--timing-interval', '600000'];
      collector = await startCollector(flags, { NODE_OPTIONS: planted(code) });
      await sendUdp(collector.udpPort, 'hits:1|c\nlatency:1:2:3|ms');
      await collector.until(({ samples }) => samples.timings === 3);
      collector.signal('SIGUSR2');
      expect(await collector.exited()).to.equal(1);
      expect(trap.values()).to.deep.equal(new Map([['latency', [1, 2, 3]]]));
      expect(collector.stderr()).to.match(said);
    });
  }
});
