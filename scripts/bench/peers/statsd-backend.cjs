// A backend of statsd (npm) that says at each flush how much has been counted in all: the sum over
// the names that the bench sends, so that it can be compared with what was sent.
let total = 0;

exports.init = (_startupTime, _config, events) => {
  events.on('flush', (_time, metrics) => {
    for (const [name, count] of Object.entries(metrics.counters)) {
      if (name.startsWith('bench.')) total += count;
    }
    process.stdout.write(`counted ${total}\n`);
  });
  return true;
};
