import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { createLineBuffer } from '../../src/protocol/line-buffer.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (from: Uint8Array): string => new TextDecoder().decode(from);
const allocate = (length: number): Uint8Array => new Uint8Array(length);

describe('A line buffer', () => {
  it('writes every number as the language does', () => {
    const number = fc.oneof(
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, -0, 9, 10, -10, 99, 100, 2 ** 53 - 1, 1 - 2 ** 53, 2 ** 53, 1e21, 5e-324),
    );
    fc.assert(
      fc.property(number, (value) => {
        const buffer = createLineBuffer(200, allocate);
        expect(buffer.append(bytes('a:'), value, bytes('|c'))).to.equal(true);
        expect(text(buffer.take())).to.equal(`a:${value}|c`);
      }),
      { numRuns: 2000 },
    );
  });

  it('holds what fits, lines apart by LF, and not a byte more', () => {
    const line = fc.record({
      head: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }),
      value: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      isText: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 20 }),
        fc.integer({ min: 1, max: 200 }),
        (all, max) => {
          const buffer = createLineBuffer(max, allocate);
          const taken: string[] = [];
          let expected = '';
          for (const { head, value, isText } of all) {
            const whole = isText ? head : `${head}${value}|ms`;
            const next = expected === '' ? whole : `${expected}\n${whole}`;
            const fits = bytes(next).length <= max;
            const found = isText
              ? buffer.appendText(head, bytes(head).length)
              : buffer.append(bytes(head), value, bytes('|ms'));
            expect(found).to.equal(fits);
            if (fits) expected = next;
            else {
              taken.push(text(buffer.take()));
              expect(taken.at(-1)).to.equal(expected);
              expected = '';
            }
            expect(buffer.length).to.equal(bytes(expected).length);
          }
          expect(text(buffer.take())).to.equal(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives away the memory of what was taken', () => {
    const buffer = createLineBuffer(20, allocate);
    buffer.appendText('first:1|c', 9);
    const first = buffer.take();
    buffer.appendText('other:2|c', 9);
    expect(text(first)).to.equal('first:1|c');
  });
});
