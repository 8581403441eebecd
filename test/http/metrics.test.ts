import { expect } from 'chai';
import { describe, it } from 'mocha';

import { prometheusText } from '../../src/http/metrics.ts';
import { VITALS } from './vitals.ts';

/** Reads the text by the grammar of the format: every sample, under its family's type. */
function read(text: string): Map<string, { type: string; value: number }> {
  const samples = new Map<string, { type: string; value: number }>();
  let family = '';
  let type = '';
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const help = /^# HELP (statcol_[a-z_]+) \S.*$/.exec(line);
    const typed = /^# TYPE (statcol_[a-z_]+) (counter|gauge)$/.exec(line);
    if (help !== null) family = help[1]!;
    else if (typed !== null) {
      expect(typed[1]).to.equal(family);
      type = typed[2]!;
      expect(family.endsWith('_total')).to.equal(type === 'counter');
    } else {
      const sample =
        /^([a-z_]+)(\{[a-z]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z]+="[^"]*")*\})? (\S+)$/.exec(line);
      expect(sample, line).not.to.equal(null);
      expect(sample![1]).to.equal(family);
      const key = `${sample![1]}${sample![2] ?? ''}`;
      expect(samples.has(key), key).to.equal(false);
      samples.set(key, { type, value: Number(sample![3]) });
    }
  }
  return samples;
}

describe('the numbers for Prometheus', () => {
  it('are those of the vitals', () => {
    const samples = read(prometheusText(VITALS));
    const values = Object.fromEntries([...samples].map(([key, { value }]) => [key, value]));
    expect(values).to.deep.equal({
      'statcol_info{version="1.2.3",receiver="recvmmsg",store="memory"}': 1,
      statcol_uptime_seconds: 12.5,
      statcol_udp_threads: 2,
      statcol_udp_datagrams_total: 1000,
      statcol_udp_bytes_total: 27_000,
      statcol_udp_kernel_drops_total: 7,
      statcol_udp_receive_buffer_bytes: 33_554_432,
      statcol_lines_accepted_total: 990,
      'statcol_lines_rejected_total{reason="bad_value"}': 9,
      'statcol_lines_rejected_total{reason="no_separator"}': 1,
      'statcol_samples_total{kind="counter"}': 700,
      'statcol_samples_total{kind="timing"}': 300,
      'statcol_samples_delivered_total{kind="counter"}': 600,
      'statcol_samples_delivered_total{kind="timing"}': 299,
      'statcol_samples_pending{kind="counter"}': 98,
      'statcol_samples_pending{kind="timing"}': 1,
      'statcol_samples_dropped_total{kind="counter",reason="overflow"}': 2,
      'statcol_keys{kind="counter"}': 5,
      'statcol_keys{kind="timing"}': 3,
      statcol_keys_limit: 1_000_000,
      statcol_store_up: 1,
      statcol_trap_up: 0,
    });
  });

  it('leave out what is not known', () => {
    const text = prometheusText({
      ...VITALS,
      udp: { ...VITALS.udp, kernelDrops: null },
      trap: { ...VITALS.trap, configured: false },
      lines: { accepted: 0, rejected: {} },
    });
    for (const name of ['kernel_drops', 'trap_up', 'rejected']) expect(text).not.to.include(name);
    read(text);
  });

  it('escape what stands in a label', () => {
    const text = prometheusText({ ...VITALS, version: 'a"b\\c\nd' });
    expect(text).to.include(String.raw`version="a\"b\\c\nd"`);
    read(text);
  });
});
