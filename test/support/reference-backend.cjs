// A backend of the reference (statsd from npm), loaded by it: tells the process that started it the
// port, when so many datagrams were read, and at the end, on the one flush there is, all it holds.
// Numbers go as texts: JSON has no Infinity.
const { writeFileSync } = require('node:fs');

let packets = 0;
let awaited = Infinity;

exports.init = (_startupTime, config, events) => {
  events.on('packet', () => {
    // The event comes before the datagram is taken apart; in the next turn it has been.
    if (++packets === awaited) setImmediate(() => process.send({ packets }));
  });
  process.on('message', ({ until }) => {
    awaited = until;
    if (packets >= until) process.send({ packets });
  });
  events.on('flush', (_time, metrics) => {
    const sets = Object.entries(metrics.sets).map(([name, set]) => [name, set.values()]);
    const plain = { timers: Object.entries(metrics.timers), sets };
    for (const kind of ['counters', 'gauges', 'timer_data']) {
      plain[kind] = Object.entries(metrics[kind]);
    }
    const texts = (_key, value) => (typeof value === 'number' ? String(value) : value);
    writeFileSync(config.resultFile, JSON.stringify(plain, texts));
  });
  // Bound by then: the address is no name that would have to be looked up.
  setImmediate(() => process.send({ port: require(config.udpServer).server.address().port }));
  return true;
};
