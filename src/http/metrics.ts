import type { Vitals } from '../vitals.ts';

/** The content type of Prometheus' text format. */
export const PROMETHEUS_TEXT = 'text/plain; version=0.0.4; charset=utf-8';

/** One number of a family: its labels, and its value. */
type Sample = [labels: Record<string, string>, value: number];

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** Empty where the number is not known: then the family is left out. */
  readonly samples: (vitals: Vitals) => Sample[];
}

const FAMILIES: readonly Family[] = [
  gauge('statcol_info', 'What is running.', ({ version, udp, store }) => [
    [{ version, receiver: udp.receiver, store: store.kind }, 1],
  ]),
  gauge('statcol_uptime_seconds', 'Since the start.', ({ uptimeSeconds }) => one(uptimeSeconds)),
  gauge('statcol_udp_threads', 'Ingest threads.', ({ udp }) => one(udp.threads)),
  counter('statcol_udp_datagrams_total', 'Read.', ({ udp }) => one(udp.datagrams)),
  counter('statcol_udp_bytes_total', 'Read.', ({ udp }) => one(udp.bytes)),
  counter(
    'statcol_udp_kernel_drops_total',
    'Datagrams thrown away by the kernel, the receive buffer being full.',
    ({ udp }) => (udp.kernelDrops === null ? [] : one(udp.kernelDrops)),
  ),
  gauge('statcol_udp_receive_buffer_bytes', 'Granted to each socket.', ({ udp }) =>
    one(udp.receiveBufferBytes),
  ),
  counter('statcol_lines_accepted_total', 'Read and counted.', ({ lines }) => one(lines.accepted)),
  counter('statcol_lines_rejected_total', 'Refused, by reason.', ({ lines }) =>
    byReason({}, lines.rejected),
  ),
  counter('statcol_samples_total', 'In accepted lines.', ({ samples }) => [
    [COUNTER, samples.counters],
    [TIMING, samples.timings],
  ]),
  counter('statcol_samples_delivered_total', 'Where they belong.', ({ counters, timings }) => [
    [COUNTER, counters.delivered],
    [TIMING, timings.delivered],
  ]),
  gauge('statcol_samples_pending', 'Waiting, or not answered yet.', ({ counters, timings }) => [
    [COUNTER, counters.pending],
    [TIMING, timings.pending],
  ]),
  counter('statcol_samples_dropped_total', 'Lost, by reason.', ({ counters, timings }) => [
    ...byReason(COUNTER, counters.dropped),
    ...byReason(TIMING, timings.dropped),
  ]),
  gauge('statcol_keys', 'Names known.', ({ keys }) => [
    [COUNTER, keys.counters],
    [TIMING, keys.timings],
  ]),
  gauge('statcol_keys_limit', 'Names that may be known.', ({ keys }) => one(keys.limit)),
  gauge('statcol_store_up', 'Whether counters can be written.', ({ store }) => one(+store.up)),
  gauge('statcol_trap_up', 'Whether timings can be pushed.', ({ trap }) =>
    trap.configured ? one(+trap.up) : [],
  ),
];

const COUNTER = { kind: 'counter' };
const TIMING = { kind: 'timing' };

/**
 * Returns the collector's own numbers as Prometheus reads them. METRICS.md tells what each means.
 * Source: Prometheus, Exposition formats, text-based format 0.0.4.
 */
export function prometheusText(vitals: Vitals): string {
  const families = FAMILIES.flatMap(({ name, type, help, samples }) => {
    const lines = samples(vitals).map(([labels, value]) => `${name}${textOf(labels)} ${value}`);
    return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
  });
  return `${families.join('\n')}\n`;
}

function gauge(name: string, help: string, samples: Family['samples']): Family {
  return { name, type: 'gauge', help, samples };
}

function counter(name: string, help: string, samples: Family['samples']): Family {
  return { name, type: 'counter', help, samples };
}

function one(value: number): Sample[] {
  return [[{}, value]];
}

function byReason(labels: Record<string, string>, counts: Record<string, number>): Sample[] {
  return Object.entries(counts).map(([reason, count]) => [{ ...labels, reason }, count]);
}

function textOf(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
