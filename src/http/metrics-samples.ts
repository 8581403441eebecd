import { BOUNDS, type LifetimeHistogram } from '../window/lifetime-histograms.ts';
import { label, nameLabels } from './metrics-labels.ts';
import type { HashFields } from './read-hashes.ts';

// What was counted and timed, for Prometheus. Names are labels and not names of metrics: made fit
// for that, `api.hits` and `api_hits` would become one, while a label's value may be any text.

const COUNTED = 'statcol_counted_total';
const GAUGE = 'statcol_gauges';
const SET = 'statcol_set_unique';
const TIMING = 'statcol_timing';
/** Up to 19 digits: what goes into 64 bits, and never beyond what a reader takes for a number. */
const INTEGER = /^-?(0|[1-9]\d{0,18})$/;
const DECIMAL = /^-?\d{1,400}(\.\d{1,400})?$/;

/** Yields the text of the counters, a line at a time. Fields that hold no integer are left out. */
export function counterTexts(hashes: HashFields): Generator<string, void, undefined> {
  const head = headOf(COUNTED, 'counter', 'Counters as the store has them.');
  return fieldTexts(hashes, { name: COUNTED, head, form: INTEGER });
}

/**
 * The same of gauges, by collection. Fields that hold no plain decimal are left out. They are
 * `gauges` because promtool wants no name of a type in a name.
 */
export function gaugeTexts(collections: HashFields): Generator<string, void, undefined> {
  const head = headOf(GAUGE, 'gauge', 'Gauges as the store has them.');
  return fieldTexts(collections, { name: GAUGE, head, form: DECIMAL });
}

/** The same of sets: how many unique members each has today. */
export function setTexts(collections: HashFields): Generator<string, void, undefined> {
  const head = headOf(SET, 'gauge', 'Unique members of today (UTC), as the store estimates them.');
  return fieldTexts(collections, { name: SET, head, form: INTEGER });
}

function* fieldTexts(
  hashes: HashFields,
  family: { name: string; head: string; form: RegExp },
): Generator<string, void, undefined> {
  let { head } = family;
  for (const [hash, fields] of hashes) {
    const collection = label('collection', hash);
    for (const [field, value] of fields) {
      if (!family.form.test(value)) continue;
      yield `${head}${family.name}{${collection},${nameLabels(field)}} ${value}\n`;
      head = '';
    }
  }
}

/** Yields the text of the timings, a name at a time. */
export function* timingTexts(
  histograms: Iterable<LifetimeHistogram>,
): Generator<string, void, undefined> {
  let head = headOf(TIMING, 'histogram', 'Timings as they were sent: in milliseconds if timed.');
  for (const histogram of histograms) {
    yield head + histogramText(histogram);
    head = '';
  }
}

function histogramText({ name, cumulative, sum }: LifetimeHistogram): string {
  const labels = nameLabels(name);
  const count = cumulative[BOUNDS.length]!;
  let text = '';
  for (const [at, bound] of BOUNDS.entries()) {
    text += `${TIMING}_bucket{${labels},le="${bound}"} ${cumulative[at]!}\n`;
  }
  return `${text}${TIMING}_bucket{${labels},le="+Inf"} ${count}
${TIMING}_sum{${labels}} ${sum}
${TIMING}_count{${labels}} ${count}
`;
}

function headOf(name: string, type: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}
