import { expect } from 'chai';
import { describe, it } from 'mocha';
import { Histogram } from '../src/histogram.ts';
import { ABOVE, expectCode, TRUNCATED, vectors, WITHIN } from './support/circllhist.ts';

describe('OH3: the binary form', () => {
  it('gives the same text after reading and writing', () => {
    const texts = WITHIN.filter(({ name }) => name !== TRUNCATED).map(({ b64 }) => b64);
    texts.push(
      'AAA=',
      'AAIfAAABNAAAAQ==',
      'AAwAAAGeAVD2AX8BFPcAkzL4AawBMvkBWQEU+gARMvsAO0b8AXUBWv0ADQr+ALJa/wCfFAAAgA==',
    );
    for (const text of texts) expect(Histogram.fromBase64(text).toBase64()).to.equal(text);
  });

  it('reads the texts of other projects', () => {
    const agent = Histogram.fromBase64('AAIfAAABNAAAAQ==');
    expect(agent.toStrings()).to.deep.equal(['H[3.1e+00]=1', 'H[5.2e+00]=1']);
    const docs = Histogram.fromBase64(
      'AAwAAAGeAVD2AX8BFPcAkzL4AawBMvkBWQEU+gARMvsAO0b8AXUBWv0ADQr+ALJa/wCfFAAAgA==',
    );
    expect(docs.binCount).to.equal(12);
    expect(docs.toStrings().at(0)).to.equal('H[0.0e+00]=414');
    expect(docs.toStrings().at(1)).to.equal('H[8.0e-10]=383');
    expect(docs.toStrings().at(-1)).to.equal('H[2.0e+00]=128');
  });

  it('gives every count the bytes it needs, also where the original cuts them off', () => {
    const edges = [8, 16, 24, 32, 36, 40, 48, 52].flatMap((bits) => [2 ** bits - 1, 2 ** bits]);
    for (const count of [...edges, 2 ** 53 - 1]) {
      const histogram = new Histogram();
      histogram.add(1, count);
      const bytes = Buffer.from(histogram.toBase64(), 'base64');
      const width = Math.ceil(count.toString(2).length / 8);
      expect([...bytes.subarray(0, 5)]).to.deep.equal([0, 1, 10, 0, width - 1]);
      expect(bytes.readUIntLE(5, Math.min(width, 6))).to.equal(count % 2 ** 48);
      expect(bytes).to.have.lengthOf(5 + width);
      expect(Histogram.fromBase64(histogram.toBase64()).count).to.equal(count);
    }
  });

  it('takes counts in more bytes than they need, up to 2^53', () => {
    expect(decoded(0, 1, 10, 0, 7, 3, 0, 0, 0, 0, 0, 0, 0).count).to.equal(3);
    expect(decoded(0, 1, 10, 0, 6, 0, 0, 0, 0, 0, 0, 0x20).count).to.equal(2 ** 53);
  });

  it('skips white space, empty bins and bins the format does not know', () => {
    expect(Histogram.fromBase64(' AA\tIfAA\r\nABNAA\v\fAAQ= =\n').count).to.equal(2);
    const odd = [9, -9, 1, -2, 100, -100, 127, -128].map((val) => [val, 0, 0, 5]);
    const bytes = [0, odd.length + 3, ...odd.flat(), -1, 1, 0, 5, 10, 0, 0, 0, 11, 0, 0, 2];
    expect(decoded(...bytes).toStrings()).to.deep.equal(['H[1.1e+00]=2']);
  });

  it('sorts bins in disorder and adds equal ones up', () => {
    const bins = [10, 0, 0, 1, -1, 0, 0, 2, -10, 0, 0, 3, 10, 0, 0, 4, 0, 0, 0, 5, 0, 9, 0, 6];
    expect(decoded(0, 6, ...bins).toStrings()).to.deep.equal([
      'H[NaN]=2',
      'H[-1.0e+00]=3',
      'H[0.0e+00]=11',
      'H[1.0e+00]=5',
    ]);
  });

  const refused: [string, string, RegExp][] = [
    ['no bytes', '', /0 bytes/],
    ['one byte', bytesText(0), /1 bytes/],
    ['a count of 9 bytes', bytesText(0, 1, 10, 0, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1), /at byte 2/],
    ['a count cut short', bytesText(0, 1, 10, 0, 1, 1), /bin 1 of 1, at byte 2: cut short/],
    ['a bin cut short', bytesText(0, 2, 10, 0, 0, 1, 11), /bin 2 of 2, at byte 6: cut short/],
    ['a missing bin', bytesText(0, 2, 10, 0, 0, 1), /bin 2 of 2, at byte 6: cut short/],
    ['bytes left over', bytesText(0, 1, 10, 0, 0, 1, 0), /1 bytes left over at byte 6/],
    ['bytes after no bins', bytesText(0, 0, 0), /left over at byte 2/],
    ['a strange character', 'AAEK*AAB', /"\*" at character 4/],
    ['a character beyond ASCII', 'AAEKÄAAB', /"Ä" at character 4/],
    ['base64 of the URL alphabet', 'AAEK-_AB', /"-" at character 4/],
    ['no padding', 'AAA', /3 digits and 0 pads/],
    ['a lone last digit', 'AAEKAAABA', /9 digits/],
    ['too much padding', 'AAA==', /2 pads/],
    ['padding of a whole group', 'AAEKAAAB====', /4 pads/],
    ['text after the padding', 'AAA=AAEK', /"A" at character 4/],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses ${what} and says where`, () => {
      expectCode(() => Histogram.fromBase64(text), 'ERR_HISTOGRAM_FORMAT', message);
    });
  }

  it('above 2^53 in a text are refused', () => {
    const texts = [
      vectors.histograms.find(({ name }) => name === ABOVE)!.b64,
      bytesText(0, 1, 10, 0, 6, 1, 0, 0, 0, 0, 0, 0x20),
      bytesText(0, 1, 10, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1),
      bytesText(0, 2, 10, 0, 6, 0, 0, 0, 0, 0, 0, 0x20, 11, 0, 0, 1),
    ];
    for (const text of texts) expectCode(() => Histogram.fromBase64(text), 'ERR_HISTOGRAM_FULL');
  });

  it('holds every bin there is', () => {
    const histogram = new Histogram();
    for (let exponent = 127; exponent >= -128; exponent--) {
      for (let digits = 99; digits >= 10; digits--) {
        histogram.add(Number(`${digits}e${exponent - 1}`));
        histogram.add(-Number(`${digits}e${exponent - 1}`));
      }
    }
    histogram.add(0);
    histogram.add(NaN);
    expect(histogram.binCount).to.equal(46_082);
    const copy = Histogram.fromBase64(histogram.toBase64());
    expect(copy.toBase64()).to.equal(histogram.toBase64());
    let last = -Infinity;
    for (const { from, to } of [...copy.bins()].slice(1)) {
      if (from > 1e-128) expect(from).to.equal(last);
      expect(to).to.be.at.least(from);
      last = to;
    }
    expect(last).to.equal(1e128);
  });
});

function bytesText(...bytes: number[]): string {
  return Buffer.from(bytes).toString('base64');
}

function decoded(...bytes: number[]): Histogram {
  return Histogram.fromBase64(bytesText(...bytes));
}
