import { readFileSync } from 'node:fs';

import { expect } from 'chai';
import { describe, it } from 'mocha';

import { LOSS_REASONS, vitalsText } from '../../src/http/metrics-vitals.ts';
import { REJECT_REASONS } from '../../src/protocol/reasons.ts';
import { readPrometheus } from '../support/prometheus-text.ts';
import { VITALS } from './vitals.ts';

/** All reasons, of which nothing has come. */
const NO_REASONS = Object.fromEntries([
  ...REJECT_REASONS.map((reason) => [`statcol_lines_rejected_total{reason="${reason}"}`, 0]),
  ...Object.entries(LOSS_REASONS).flatMap(([kind, reasons]) =>
    reasons.map((reason) => [
      `statcol_samples_dropped_total{kind="${kind}",reason="${reason}"}`,
      0,
    ]),
  ),
]) as Record<string, number>;

describe('What Prometheus is told of the vitals', () => {
  it('has every reason from the start, those that METRICS.md tells of', () => {
    const metrics = readFileSync(new URL('../../METRICS.md', import.meta.url), 'utf8');
    for (const [kind, reasons] of Object.entries(LOSS_REASONS)) {
      const told = [...metrics.matchAll(new RegExp(`\\b${kind}s\\.dropped\\.([a-z_]+)\``, 'g'))];
      const names = told.map(([, reason]) => reason!);
      expect([...reasons].toSorted(), kind).to.deep.equal(names.toSorted());
    }
  });

  it('is what they are', () => {
    const { values } = readPrometheus(vitalsText(VITALS));
    expect(Object.fromEntries(values)).to.deep.equal({
      ...NO_REASONS,
      'statcol_info{receiver="recvmmsg",store="memory",version="1.2.3"}': 1,
      'statcol_uptime_seconds{}': 12.5,
      'statcol_udp_threads{}': 2,
      'statcol_udp_datagrams_total{}': 1000,
      'statcol_udp_bytes_total{}': 27_000,
      'statcol_udp_kernel_drops_total{}': 7,
      'statcol_udp_receive_buffer_bytes{}': 33_554_432,
      'statcol_lines_accepted_total{}': 990,
      'statcol_lines_rejected_total{reason="bad_value"}': 9,
      'statcol_lines_rejected_total{reason="no_separator"}': 1,
      'statcol_samples_total{kind="counter"}': 700,
      'statcol_samples_total{kind="timing"}': 300,
      'statcol_samples_total{kind="gauge"}': 50,
      'statcol_samples_total{kind="set"}': 9,
      'statcol_samples_recovered_total{kind="counter"}': 0,
      'statcol_samples_recovered_total{kind="timing"}': 0,
      'statcol_samples_recovered_total{kind="gauge"}': 1,
      'statcol_samples_recovered_total{kind="set"}': 0,
      'statcol_samples_delivered_total{kind="counter"}': 600,
      'statcol_samples_delivered_total{kind="timing"}': 299,
      'statcol_samples_delivered_total{kind="gauge"}': 45,
      'statcol_samples_delivered_total{kind="set"}': 7,
      'statcol_samples_pending{kind="counter"}': 98,
      'statcol_samples_pending{kind="timing"}': 1,
      'statcol_samples_pending{kind="gauge"}': 5,
      'statcol_samples_pending{kind="set"}': 1,
      'statcol_samples_dropped_total{kind="counter",reason="overflow"}': 2,
      'statcol_samples_dropped_total{kind="gauge",reason="not_number"}': 1,
      'statcol_samples_dropped_total{kind="set",reason="sets_full"}': 1,
      'statcol_keys{kind="counter"}': 5,
      'statcol_keys{kind="timing"}': 3,
      'statcol_keys{kind="gauge"}': 2,
      'statcol_keys{kind="set"}': 1,
      'statcol_keys_limit{}': 1_000_000,
      'statcol_window_names{}': 3,
      'statcol_window_bytes{}': 1234,
      'statcol_window_columns_merged_total{}': 0,
      'statcol_window_columns_dropped_total{}': 0,
      'statcol_tcp_connections{}': 3,
      'statcol_tcp_connections_accepted_total{}': 12,
      'statcol_tcp_connections_refused_total{}': 1,
      'statcol_tcp_bytes_total{}': 4096,
      'statcol_unix_datagrams_total{}': 20,
      'statcol_unix_bytes_total{}': 500,
      'statcol_state_up{}': 1,
      'statcol_state_spool_bytes{}': 4711,
      'statcol_store_up{}': 1,
      'statcol_tag_sets_folded_total{}': 12,
      'statcol_store_last_flush_seconds{}': 0.0015,
      'statcol_trap_up{}': 0,
    });
  });

  it('leaves out what is not known, and what is not switched on', () => {
    const vitals = {
      ...VITALS,
      udp: { ...VITALS.udp, kernelDrops: null },
      tcp: { ...VITALS.tcp, configured: false },
      unix: { ...VITALS.unix, configured: false },
      store: { ...VITALS.store, lastFlushMs: null },
      trap: { ...VITALS.trap, configured: false },
      state: { ...VITALS.state, configured: false },
    };
    const text = vitalsText(vitals);
    readPrometheus(text);
    const absent = /kernel_drops|_tcp_|_unix_|last_flush|statcol_trap|statcol_state|receiver_s/;
    expect(text).not.to.match(absent);
    const configured = { configured: true, samples: 7, leftOut: 2 };
    const more = vitalsText({ ...vitals, receiver: configured });
    const { values } = readPrometheus(more);
    expect(values.get('statcol_receiver_samples_total{}')).to.equal(7);
    expect(values.get('statcol_receiver_samples_left_out_total{}')).to.equal(2);
  });
});
