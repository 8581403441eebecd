import { expect } from 'chai';
import { describe, it } from 'mocha';
import { codeOf, highEdge, lowEdge, midpointOf, widthOf } from '../src/histogram-bin.ts';
import { Histogram } from '../src/histogram.ts';
import { expectNear, histogramOf, vectors } from './support/circllhist.ts';

describe('OH1: each of the 747 bucket rows', () => {
  it('falls into the bin of the format', () => {
    expect(vectors.buckets).to.have.lengthOf(747);
    for (const row of vectors.buckets) {
      const bin = Histogram.binOf(Number(row.value));
      expect(bin, String(row.value)).to.deep.equal({ value: row.val, exponent: row.exp });
    }
  });

  it('has the edges, width and midpoint of the format', () => {
    for (const row of vectors.buckets) {
      const code = codeOf(Number(row.value));
      const edge = row.val < 0 && row.val !== -1 ? highEdge(code) : lowEdge(code);
      expectNear(edge, Number(row.edge), 4e-16);
      expectNear(widthOf(code), Number(row.width), 4e-16);
      expectNear(midpointOf(code), Number(row.midpoint), 1e-15);
    }
  });

  it('has the name of the format, but for the point after the first digit', () => {
    for (const row of vectors.buckets) {
      const [text] = histogramOf([Number(row.value)]).toStrings();
      expect(text).to.equal(`H[${wireName(row.text)}]=1`);
    }
  });
});

/** `+12e+000` (digits as an integer) as `1.2e+01`. */
function wireName(text: string): string {
  const parts = /^([+-])(\d)(\d)e([+-]\d+)$/.exec(text);
  if (parts === null) return text === '0' ? '0.0e+00' : text;
  const exponent = Number(parts[4]) + 1;
  const power = String(Math.abs(exponent)).padStart(2, '0');
  const sign = parts[1] === '-' ? '-' : '';
  return `${sign}${parts[2]}.${parts[3]}e${exponent < 0 ? '-' : '+'}${power}`;
}
