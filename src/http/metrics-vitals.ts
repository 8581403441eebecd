import { REJECT_REASONS } from '../protocol/reasons.ts';
import type { Vitals } from '../vitals-types.ts';
import { label } from './metrics-labels.ts';

/** One number of a family: its labels, and its value. */
type Sample = [labels: Record<string, string>, value: number];

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** Empty where the number is not known: then the family is left out. */
  readonly samples: (vitals: Vitals) => Sample[];
}

const COUNTER = { kind: 'counter' };
const TIMING = { kind: 'timing' };
const GAUGE = { kind: 'gauge' };
const SET = { kind: 'set' };

/**
 * Why samples may be lost. Each reason is told from the start, with 0: what appears only with the
 * first loss has no increase that Prometheus could see.
 */
export const LOSS_REASONS = {
  counter: ['not_integer', 'overflow', 'key_limit', 'refused', 'too_old'],
  timing: ['timing_log_full', 'window_full', 'key_limit', 'spool_full'],
  gauge: ['not_number', 'overflow', 'key_limit', 'refused', 'too_old'],
  set: ['set_log_full', 'set_book_full', 'sets_full', 'wrong_type', 'key_limit', 'spool_full'],
} as const;

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
    ({ udp }) => known(udp.kernelDrops),
  ),
  gauge('statcol_udp_receive_buffer_bytes', 'Granted to each socket.', ({ udp }) =>
    one(udp.receiveBufferBytes),
  ),
  gauge('statcol_tcp_connections', 'Open now.', ({ tcp }) => {
    return tcp.configured ? one(tcp.connections) : [];
  }),
  counter('statcol_tcp_connections_accepted_total', 'Opened by peers.', ({ tcp }) =>
    tcp.configured ? one(tcp.accepted) : [],
  ),
  counter(
    'statcol_tcp_connections_refused_total',
    'Closed as they came, since too many were open.',
    ({ tcp }) => (tcp.configured ? one(tcp.refused) : []),
  ),
  counter('statcol_tcp_bytes_total', 'Read.', ({ tcp }) => (tcp.configured ? one(tcp.bytes) : [])),
  counter('statcol_unix_datagrams_total', 'Read.', ({ unix }) =>
    unix.configured ? one(unix.datagrams) : [],
  ),
  counter('statcol_unix_bytes_total', 'Read.', ({ unix }) =>
    unix.configured ? one(unix.bytes) : [],
  ),
  counter('statcol_lines_accepted_total', 'Read and counted.', ({ lines }) => one(lines.accepted)),
  counter('statcol_lines_rejected_total', 'Refused, by reason.', ({ lines }) =>
    byReason({}, REJECT_REASONS, lines.rejected),
  ),
  counter('statcol_samples_total', 'In accepted lines.', ({ samples }) => [
    [COUNTER, samples.counters],
    [TIMING, samples.timings],
    [GAUGE, samples.gauges],
    [SET, samples.sets],
  ]),
  counter('statcol_samples_recovered_total', 'Taken over from before.', byKind('recovered')),
  counter('statcol_samples_delivered_total', 'Where they belong.', byKind('delivered')),
  gauge('statcol_samples_pending', 'Waiting, or not answered yet.', byKind('pending')),
  counter(
    'statcol_samples_dropped_total',
    'Lost, by reason.',
    ({ counters, timings, gauges, sets }) => [
      ...byReason(COUNTER, LOSS_REASONS.counter, counters.dropped),
      ...byReason(TIMING, LOSS_REASONS.timing, timings.dropped),
      ...byReason(GAUGE, LOSS_REASONS.gauge, gauges.dropped),
      ...byReason(SET, LOSS_REASONS.set, sets.dropped),
    ],
  ),
  gauge('statcol_keys', 'Names known.', ({ keys }) => [
    [COUNTER, keys.counters],
    [TIMING, keys.timings],
    [GAUGE, keys.gauges],
    [SET, keys.sets],
  ]),
  gauge('statcol_keys_limit', 'Names that may be known.', ({ keys }) => one(keys.limit)),
  counter(
    'statcol_tag_sets_folded_total',
    'Samples counted as other=true, their names having many sets of tags.',
    ({ keys }) => one(keys.tagSetsFolded),
  ),
  gauge('statcol_window_names', 'Timings in the live window.', (vitals) => {
    return one(vitals.window.names);
  }),
  gauge('statcol_window_bytes', 'Taken by its columns.', (vitals) => one(vitals.window.bytes)),
  counter('statcol_window_columns_merged_total', 'Seconds, for want of room.', (vitals) =>
    one(vitals.window.columnsMerged),
  ),
  counter('statcol_window_columns_dropped_total', 'For want of room.', (vitals) =>
    one(vitals.window.columnsDropped),
  ),
  counter('statcol_receiver_samples_total', 'Received from others.', ({ receiver }) =>
    receiver.configured ? one(receiver.samples) : [],
  ),
  counter(
    'statcol_receiver_samples_left_out_total',
    'Received from others, and not in the live window for want of room.',
    ({ receiver }) => (receiver.configured ? one(receiver.leftOut) : []),
  ),
  gauge('statcol_state_up', 'Whether a crash would lose nothing.', ({ state }) =>
    state.configured ? one(+state.up) : [],
  ),
  gauge('statcol_state_spool_bytes', 'Length of the spool.', ({ state }) =>
    state.configured ? one(state.spoolBytes) : [],
  ),
  gauge('statcol_store_up', 'Whether counters can be written and read.', ({ store }) =>
    one(+store.up),
  ),
  gauge('statcol_store_last_flush_seconds', 'How long it took.', ({ store }) =>
    known(secondsOf(store.lastFlushMs)),
  ),
  gauge('statcol_trap_up', 'Whether timings can be pushed.', ({ trap }) =>
    trap.configured ? one(+trap.up) : [],
  ),
  gauge('statcol_trap_last_push_seconds', 'How long it took.', ({ trap }) =>
    known(secondsOf(trap.lastPushMs)),
  ),
];

/** Returns the collector's own numbers as Prometheus reads them. METRICS.md tells what they mean. */
export function vitalsText(vitals: Vitals): string {
  return FAMILIES.map(({ samples, ...family }) => familyText(family, samples(vitals))).join('');
}

/** Returns a family of numbers, nothing where there are none. */
export function familyText(
  { name, type, help }: Omit<Family, 'samples'>,
  samples: readonly Sample[],
): string {
  if (samples.length === 0) return '';
  const lines = samples.map(([labels, value]) => `${name}${textOf(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
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

function known(value: number | null): Sample[] {
  return value === null ? [] : one(value);
}

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

function byKind(fate: 'recovered' | 'delivered' | 'pending'): Family['samples'] {
  return ({ counters, timings, gauges, sets }) => [
    [COUNTER, counters[fate]],
    [TIMING, timings[fate]],
    [GAUGE, gauges[fate]],
    [SET, sets[fate]],
  ];
}

function byReason(
  labels: Record<string, string>,
  reasons: readonly string[],
  counts: Record<string, number>,
): Sample[] {
  const all = new Map(reasons.map((reason) => [reason, 0]));
  for (const [reason, count] of Object.entries(counts)) all.set(reason, count);
  return Array.from(all, ([reason, count]) => [{ ...labels, reason }, count]);
}

function textOf(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => label(name, value));
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
