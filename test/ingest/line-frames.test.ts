import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import {
  createFrameMemory,
  createLineFrames,
  LINE_BYTES_MAX,
  type LineFrames,
} from '../../src/ingest/line-frames.ts';

/** What has been handed over: lines as they are, and `cut` in front of one that was too long. */
interface Seen {
  frames: LineFrames;
  lines: string[];
}

function create(): Seen {
  const lines: string[] = [];
  const frames = createLineFrames(createFrameMemory(), {
    onLines({ bytes }, start, length) {
      const text = Buffer.from(bytes.subarray(start, start + length)).toString('latin1');
      lines.push(...text.split('\n').filter((line) => line !== ''));
    },
    onCut({ bytes }, start, length) {
      const text = Buffer.from(bytes.subarray(start, start + length)).toString('latin1');
      expect(text).to.have.length(LINE_BYTES_MAX).and.not.include('\n');
      lines.push(`cut ${text}`);
    },
  });
  return { frames, lines };
}

/** What has to come of a stream that ends properly, wherever it was cut. */
function naive(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      return line.length > LINE_BYTES_MAX ? `cut ${line.slice(0, LINE_BYTES_MAX)}` : line;
    });
}

function linesOf(text: string, cuts: readonly number[]): string[] {
  const { frames, lines } = create();
  const bytes = Buffer.from(text, 'latin1');
  const places = [0, ...cuts, bytes.length].toSorted((a, b) => a - b);
  for (const [at, from] of places.entries()) frames.take(bytes.subarray(from, places[at + 1]));
  frames.end();
  return lines;
}

describe('lines of a stream', () => {
  const text = 'a:1|c\nbb:22|ms|@0.1\r\n\n\nc:3|c\n\r\nd:4|c';

  it('are the same wherever it is cut in two, or three, or byte by byte', () => {
    const wanted = naive(text);
    for (let one = 0; one <= text.length; one++) {
      for (let other = one; other <= text.length; other++) {
        expect(linesOf(text, [one, other])).to.deep.equal(wanted);
      }
    }
    expect(
      linesOf(
        text,
        Array.from(text, (_, at) => at),
      ),
    ).to.deep.equal(wanted);
  });

  it('are the same for any cuts of any stream', () => {
    const line = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', ':', '|', '\r', '\0'), maxLength: 12 }),
      fc.integer({ min: 1, max: 400 }).map((length) => 'x'.repeat(length)),
    );
    const stream = fc.tuple(fc.array(line, { maxLength: 30 }), fc.boolean());
    fc.assert(
      fc.property(stream, fc.array(fc.nat(4000), { maxLength: 40 }), ([all, isEnded], cuts) => {
        const sent = all.join('\n') + (isEnded ? '\n' : '');
        const places = cuts.map((place) => Math.min(place, sent.length));
        expect(linesOf(sent, places)).to.deep.equal(naive(sent));
      }),
    );
  });

  it('are the same when some are as long as may be, or longer', () => {
    const lengths = [-2, -1, 0, 1, 2, 100].map((more) => LINE_BYTES_MAX + more);
    const long = [...lengths, 2 * LINE_BYTES_MAX, 2 * LINE_BYTES_MAX + 1, 300_000];
    const place = fc.oneof(
      fc.nat(300_000),
      fc.nat(2).map((more) => LINE_BYTES_MAX - 1 + more),
    );
    const one = fc.record({
      before: fc.constantFrom('', 'a:1|c\n', 'a\nb\n'),
      length: fc.constantFrom(...long),
      after: fc.constantFrom('', '\n', '\nb:1|c', '\nb:1|c\nc:1|c\n'),
      cuts: fc.array(place, { maxLength: 6 }),
    });
    fc.assert(
      fc.property(one, ({ before, length, after, cuts }) => {
        const sent = `${before}${'y'.repeat(length)}${after}`;
        const places = cuts.map((at) => Math.min(at, sent.length));
        // As texts of a hundred kilobytes a difference would take minutes to print.
        expect(linesOf(sent, places).join('\n') === naive(sent).join('\n')).to.equal(true);
      }),
      { numRuns: 150 },
    );
  });

  it('that do not end properly are all but the last one', () => {
    const { frames, lines } = create();
    frames.take(Buffer.from('a:1|c\nb:1'));
    expect(lines).to.deep.equal(['a:1|c']);
  });

  it('are in memory of their own: what is lent may change', () => {
    const { frames, lines } = create();
    const lent = Buffer.from('a:1');
    frames.take(lent);
    lent.fill('x');
    frames.take(Buffer.from('|c\n'));
    expect(lines).to.deep.equal(['a:1|c']);
  });

  it('without an end take no more memory than one line may have', () => {
    const { frames, lines } = create();
    const piece = Buffer.alloc(10_000, 'z');
    const before = process.memoryUsage().arrayBuffers;
    for (let at = 0; at < 2000; at++) frames.take(piece); // 20 MB
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(1 << 20);
    expect(lines).to.have.length(1);
    frames.take(Buffer.from('\na:1|c\n'));
    expect(lines.slice(1)).to.deep.equal(['a:1|c']);
  });
});
