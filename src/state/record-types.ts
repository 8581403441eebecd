import type { FieldFault } from '../sinks/store.ts';
import type { GaugeReading } from '../ledger/reader.ts';

/**
 * What the spool remembers, as bytes. A step is a run of records that is there wholly or not at all
 * (see `spool-file.ts`). A record is a type and its fields, little-endian; `text` is a u32 length and
 * UTF-8; names stand under numbers of the file.
 *
 *     name      1  number:u32 name:text
 *     counters  2  count:u32 { name:u32 sum:f64 samples:f64 }…
 *     timings   3  name:u32 count:u32 weighted:u8 value:f64… [weight:f64…]
 *     folded    4  name:u32 samples:f64 carry:f64 histogram:text (base64)
 *     drained   5  ledger:f64 mark:f64
 *     lane      6  hash:text number:f64
 *     cut       7  count:u32 { name:u32 amount:f64 samples:f64 }…
 *     chunk     8  hash:text number:f64 total:u8 count:u32 part…
 *     held      9  hash:text part
 *     sending  10  hash:text number:f64 time:f64 (ms since 1970)
 *     applied  11  hash:text number:f64 count:u32 { part:u32 fault:u8 }…
 *     refused  12  hash:text
 *     released 13  hash:text
 *     fraction 14  samples:f64
 *     finished 15
 *     body     16  number:u32 samples:f64 text:text count:u32 { name:u32 samples:f64 carry:f64 }…
 *     answered 17  number:u32
 *     self     18  instance:text store:text body:u32 (the last cut) floor:f64 (of new hashes)
 *     gauges   19  count:u32 { name:u32 value:f64 samples:f64 absolute:u8 }…
 *     gaugeCut 20  count:u32 { name:u32 samples:f64 }…   gauges that were cut
 *     members  21  name:u32 day:text samples:f64 count:u32 text…   one character per byte
 *     setGone  22  name:u32 day:text samples:f64   so many of them, the first, are done with
 *     part         share:f64 name:u32 samples:f64 amount:f64 field:u8 [text]
 *                  field: 0 none, 1 the name, 2 the text behind it; of a gauge 4 more where it is
 *                  set, 8 more where it is changed
 */
export const Type = {
  name: 1,
  counters: 2,
  timings: 3,
  folded: 4,
  drained: 5,
  lane: 6,
  cut: 7,
  chunk: 8,
  held: 9,
  sending: 10,
  applied: 11,
  refused: 12,
  released: 13,
  fractions: 14,
  finished: 15,
  body: 16,
  answered: 17,
  self: 18,
  gauges: 19,
  gaugesCut: 20,
  members: 21,
  membersGone: 22,
} as const;

/** By the number that stands for them. */
export const FAULTS: readonly FieldFault[] = ['not_integer', 'overflow', 'refused', 'not_number'];

/** Who writes, and with which numbers it goes on. */
export interface Self {
  /** The name that markers and keys bear. */
  instance: string;
  /** `memory` or `redis`: where counters were written. */
  store: string;
  /** Number of the body cut last. */
  bodySeq: number;
  /** Hashes that are new are numbered from here. */
  seqFloor: number;
}

/** What stands in a part's `field` beside 0, 1 or 2. */
export const GAUGE_FIELD = { set: 4, change: 8 } as const;

/** A gauge's part of a step. */
export interface GaugeSum {
  name: string;
  reading: GaugeReading;
  samples: number;
}

/** A counter's part of a step. */
export interface CounterSum {
  name: string;
  sum: number;
  samples: number;
}
