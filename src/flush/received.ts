import type { RejectReason } from '../protocol/reasons.ts';
import { printable } from './printable.ts';

/** Datagrams that were read. */
export interface Packets {
  datagrams: number;
  bytes: number;
}

/** What has come in since the start, as it was counted where it was read; datagrams over UDP. */
export interface Received extends Packets {
  /** Those over the unix socket. */
  readonly unix: Packets;
  linesAccepted: number;
  /** When a line was found last, on the drainer's clock; undefined before the first. */
  lastLineMs: number | undefined;
  readonly linesRejected: Map<RejectReason, number>;
  /** The last line refused for each reason. */
  readonly refusals: Map<RejectReason, RefusedLine>;
  counterSamples: number;
  timingSamples: number;
  gaugeSamples: number;
  setSamples: number;
  /** Samples that were counted under the name that further sets of tags of theirs share. */
  tagSetsFolded: number;
}

/** A line that was refused, both texts safe to be shown: printable ASCII. */
export interface RefusedLine {
  /** Its beginning. */
  line: string;
  /** Empty where it is not known. */
  source: string;
}

/** Of a line so much is kept. */
const LINE_LENGTH_MAX = 80;

/** Returns the numbers of before anything came. */
export function nothingReceived(): Received {
  return {
    datagrams: 0,
    bytes: 0,
    unix: { datagrams: 0, bytes: 0 },
    linesAccepted: 0,
    lastLineMs: undefined,
    linesRejected: new Map(),
    refusals: new Map(),
    counterSamples: 0,
    timingSamples: 0,
    gaugeSamples: 0,
    setSamples: 0,
    tagSetsFolded: 0,
  };
}

/** Returns a line that was refused, and where it came from, as texts. */
export function refusedLine(line: Uint8Array, source: Uint8Array): RefusedLine {
  const text = unquoted(line);
  const isLong = text.length > LINE_LENGTH_MAX;
  return {
    line: isLong ? `${text.slice(0, LINE_LENGTH_MAX)}…` : text,
    source: unquoted(source),
  };
}

function unquoted(bytes: Uint8Array): string {
  return printable(bytes).slice(1, -1);
}
