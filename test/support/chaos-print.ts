import type { Difference } from './chaos-compare.ts';
import type { ChaosReport } from './chaos-run.ts';

/** Whether everything has arrived, once, and nothing else was wrong. */
export function isExact({ differences, wrongs }: ChaosReport): boolean {
  return differences.length + wrongs.length === 0;
}

/** Returns what a run has shown, as text: more of it where something is not as it should be. */
export function textOf(report: ChaosReport): string {
  const { options, faults, sent, bodies, differences, wrongs, events, tookSeconds } = report;
  const total = [...faults.values()].reduce((sum, count) => sum + count, 0);
  const lines = [
    `seed ${options.seed}, ${options.redis}: ${total} faults in ${options.seconds} s, ` +
      `${(total / options.seconds).toFixed(1)} a second; all in all ${tookSeconds.toFixed(1)} s`,
    ...[...faults].toSorted().map(([kind, count]) => `  ${String(count).padStart(6)}  ${kind}`),
    `sent: ${sent.counterNames} counters, whose sum is ${sent.counterSum}, ${sent.gauges} gauges, ` +
      `${sent.sets} sets, and ${sent.timings} timings`,
    `the trap took ${bodies.taken} bodies; ${bodies.again} came again`,
  ];
  for (const wrong of wrongs) lines.push(`WRONG: ${wrong}`);
  for (const { where, key, expected, got } of differences.slice(0, 30)) {
    lines.push(`DIFFERENT: ${where} ${key}: expected ${expected}, got ${got}`);
  }
  if (differences.length > 30) lines.push(`and ${differences.length - 30} more differences`);
  const off = differences
    .filter(({ where }) => !/^trap$|:gauges$|:set:/.test(where))
    .map(amountOff);
  if (off.length > 0) {
    const missing = off.reduce((sum, one) => sum + Math.max(0, -one), 0);
    const doubled = off.reduce((sum, one) => sum + Math.max(0, one), 0);
    lines.push(`of the counters, ${missing} is missing and ${doubled} is too much`);
  }
  if (isExact(report)) lines.push('exact: per hash, set and name, and every timing once');
  else lines.push('the last events:', ...events.slice(-80).map((event) => `  ${event}`));
  return lines.join('\n');
}

function amountOff({ expected, got }: Difference): number {
  return (Number(got) || 0) - (Number(expected) || 0);
}

/** Returns what shows first that something is not as it should be, in one line. */
export function firstFinding({ differences, wrongs }: ChaosReport): string {
  const [first] = differences;
  if (first === undefined) return wrongs[0]?.split('\n', 1)[0] ?? 'nothing';
  const { where, key, expected, got } = first;
  return `${where} ${key}: expected ${expected}, got ${got} (${differences.length} differences)`;
}

/** Prints it. */
export function printReport(report: ChaosReport): void {
  console.log(textOf(report));
}
