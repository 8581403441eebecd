import { REJECT_REASONS } from '../protocol/reasons.ts';

/** The words of `stats`: everything that is counted beside the samples themselves. */
export const Stat = {
  datagrams: 0,
  bytes: 1,
  linesAccepted: 2,
  counterSamples: 3,
  timingSamples: 4,
  /** Timings that found the log full. */
  timingsDropped: 5,
  /** How many timings the log holds. */
  logLength: 6,
  /** Counter samples that alone are beyond 64 bits: they must not take others along. */
  countersOverflown: 7,
  gaugeSamples: 8,
  /** Gauge samples that would have changed a gauge beyond all numbers. */
  gaugesOverflown: 9,
  setSamples: 10,
  /** Members that found the log of members full. */
  membersDropped: 11,
  /** How many words of that log are taken. */
  memberWords: 12,
  /** Refused lines; one word per reason from here on. */
  rejected: 13,
} as const;
/** How many words `stats` has. */
export const STAT_COUNT: number = Stat.rejected + REJECT_REASONS.length;

/** One refusal: u8 length of the line, u8 length of the sender, then their bytes. */
export const REFUSED_LINE_BYTES_MAX = 200;
/** An IPv6 address in brackets, a scope and a port fit. */
export const REFUSED_SOURCE_BYTES_MAX = 80;
/** Bytes per reason in `refusals`. */
export const REFUSAL_BYTES: number = 2 + REFUSED_LINE_BYTES_MAX + REFUSED_SOURCE_BYTES_MAX;
