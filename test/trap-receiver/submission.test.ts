import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { read, readPieces, readVectors, recordingSink } from './rig.ts';
import { bytesInUse } from '../support/heap.ts';

describe('A submission is answered as the original answers it', () => {
  const vectors = readVectors();

  it('in all of 98 vectors', () => expect(vectors).to.have.length(98));

  for (const { name, body, repeat, responses, upstreamCrashes } of vectors) {
    it(name, () => {
      for (let turn = 0; turn < repeat; turn++) {
        const { status, ...result } = read(body);
        if (upstreamCrashes === true) {
          expect(status).to.equal(406);
          continue;
        }
        const wanted = responses![turn]!;
        expect(status).to.equal(wanted.status);
        if (wanted.body !== undefined) expect(result).to.deep.equal(wanted.body);
        if (wanted.reason === undefined) continue;
        expect(result.error!.startsWith(wanted.reason), result.error).to.equal(true);
        expect(result.stats).to.equal(wanted.metricsTakenBeforeError);
      }
    });

    it(`${name}, wherever it is split`, () => {
      const bytes = Buffer.from(body);
      const whole = recordingSink();
      const result = readPieces([bytes], whole);
      const step = Math.max(1, Math.floor(bytes.length / 200));
      for (let at = 0; at <= bytes.length; at += step) {
        const sink = recordingSink();
        const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
        expect(readPieces(pieces, sink), `at ${at}`).to.deep.equal(result);
        expect(sink.samples).to.deep.equal(whole.samples);
        expect(sink.histograms).to.deep.equal(whole.histograms);
      }
      const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
      expect(readPieces(single)).to.deep.equal(result);
    });
  }
});

describe('A submission', () => {
  const pieces = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.constantFrom(...readVectors().map(({ body }) => Buffer.from(body.slice(0, 200)))),
    fc
      .constantFrom(
        ...Array.from('{}[]:,"/*\\ \n'),
        '"_type":"n",',
        '"_value":[1,2]',
        '"_ts":1',
        '//',
        '\\ud83d',
      )
      .map((text) => Buffer.from(text)),
  );
  const bodies = fc.array(pieces, { maxLength: 12 }).map((parts) => Buffer.concat(parts));

  it('never throws, and is read the same however it is split', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(60), { maxLength: 8 }), (body, lengths) => {
        const whole = recordingSink();
        const result = read(body, whole);
        const split = recordingSink();
        const cut: Uint8Array[] = [];
        let at = 0;
        for (const length of lengths) cut.push(body.subarray(at, (at += length)));
        cut.push(body.subarray(at));
        expect(readPieces(cut, split)).to.deep.equal(result);
        expect(split.samples).to.deep.equal(whole.samples);
        expect(split.histograms).to.deep.equal(whole.histograms);
      }),
      { numRuns: 1200 },
    );
  });

  it('takes whatever JSON.stringify writes, and counts its plain values', () => {
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null));
    const name = fc.string({ maxLength: 20 }).filter((text) => !text.startsWith('_'));
    fc.assert(
      fc.property(fc.dictionary(name, leaf), (object) => {
        const { status, stats } = read(JSON.stringify(object));
        expect([status, stats]).to.deep.equal([200, Object.keys(object).length]);
      }),
    );
  });

  for (const [what, begin, endless] of [
    ['name', '{"', 'x'],
    ['value', '{"a":{"_type":"n","_value":"', 'AAEK'],
    ['number', '{"a":{"_type":"n","_value":', '1234'],
    ['list of samples', '{"a":{"_value":[1', ',1.5,"H[1]=2"'],
    ['comment', '/*', '*x'],
    ['run of documents', '', '{"a":1}'],
    ['run of blanks', '', ' \n'],
  ] as const) {
    it(`takes no more memory for an endless ${what}`, function () {
      const chunk = Buffer.from(endless.repeat(Math.ceil(65_536 / endless.length)));
      let heapMax = 0;
      const before = bytesInUse();
      let readingAt = 5e6;
      const chunks = function* (): Generator<Uint8Array> {
        yield Buffer.from(begin);
        for (let sent = 0; sent < 50e6; sent += chunk.length) {
          yield chunk;
          if (sent < readingAt) continue;
          readingAt += 5e6;
          heapMax = Math.max(heapMax, bytesInUse() - before);
        }
      };
      let calls = 0;
      const sink = { sample: () => calls++, histogram: () => calls++ };
      expect(readPieces(chunks() as unknown as Uint8Array[], sink).status).to.equal(200);
      expect(heapMax).to.be.within(-10e6, 16e6);
    });
  }
});
