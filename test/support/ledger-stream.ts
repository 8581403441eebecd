import { Kind } from '../../src/protocol/parse.ts';
import { seededRandom } from './random.ts';

/** A stream of lines that is the same for the same seed, in whichever thread it is made. */
export interface StreamOptions {
  seed: number;
  lines: number;
}

/** A line without its number. */
export interface Template {
  /** What it is counted under; undefined for a line that is refused as `bad_type`. */
  name: string | undefined;
  kind: Kind;
  rate: number;
  /** Before and behind the number. */
  head: Uint8Array;
  tail: Uint8Array;
}

/** Called for each line in turn, before the packet that holds it. */
export type OnLine = (template: Template, number: number) => void;
/** Called for each packet. The bytes are lent. */
export type OnPacket = (bytes: Uint8Array, length: number) => void;

const PACKET_BYTES = 1400;
const LINE_BYTES_MAX = 100;
const LF = 0x0a;

/** Returns a source of whole numbers from 0 up to, and without, a limit. */
export function randomNumbers(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}

/**
 * Makes a stream. The number of a counter is a multiple of 1/1024, so that sums are exact; that of
 * a timing says the how manieth timing it is, so that none can be doubled, lost or moved unseen.
 * New names keep coming until the end.
 */
export function playStream({ seed, lines }: StreamOptions, onLine: OnLine, on: OnPacket): void {
  const random = randomNumbers(seed);
  const templates = createTemplates();
  const values = Array.from({ length: 4096 }, (_, at) => Buffer.from(String((at - 1024) / 1024)));
  const packet = new Uint8Array(PACKET_BYTES + LINE_BYTES_MAX);
  let length = 0;
  let timings = 0;
  for (let line = 0; line < lines; line++) {
    const known = Math.ceil((templates.length * (line + 1)) / lines);
    const template = templates[random(known)]!;
    packet.set(template.head, length);
    length += template.head.length;
    if (template.kind === Kind.timing) {
      length = putDigits(packet, length, timings);
      onLine(template, timings++);
    } else {
      const at = random(values.length);
      packet.set(values[at]!, length);
      length += values[at]!.length;
      onLine(template, (at - 1024) / 1024);
    }
    packet.set(template.tail, length);
    length += template.tail.length;
    if (length < PACKET_BYTES && random(40) > 0 && line < lines - 1) packet[length++] = LF;
    else {
      on(packet, length);
      length = 0;
    }
  }
}

function putDigits(bytes: Uint8Array, at: number, number: number): number {
  let end = at + 1;
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) end++;
  for (let place = end - 1, rest = number; place >= at; place--, rest = Math.floor(rest / 10)) {
    bytes[place] = 0x30 + (rest % 10);
  }
  return end;
}

function createTemplates(): Template[] {
  const made: Template[] = [];
  for (let at = 0; at < 400; at++) {
    const kind = at % 3 === 0 ? Kind.timing : Kind.counter;
    const type = kind === Kind.timing ? 'ms' : 'c';
    const rate = [1, 0.5, 0.25][at % 5] ?? 1;
    const end = `|${type}${rate === 1 ? '' : `|@${rate}`}`;
    const add = (name: string | undefined, head: string, tail: string): void => {
      const texts = { head: Buffer.from(`${head}:`), tail: Buffer.from(tail) };
      made.push({ name, kind, rate, ...texts });
    };
    // One name in several spellings, and the same text as counter and as timing.
    const group = Math.floor(at / 2);
    add(`app_${group}.hits`, `app ${group}.hits`, end);
    add(`app_${group}.hits`, `app_${group}.hits`, end);
    add(`n${group};k=v;z=`, `n${group}`, `${end}|#z,k:v`);
    add(`n${group};k=v;z=`, `n${group};k=v`, `${end}|#z`);
    if (kind === Kind.counter && at % 20 === 1) add(undefined, `bad${group}`, '|zzz');
  }
  return made;
}
