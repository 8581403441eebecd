import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { Sample, SampleType, Tags } from '../../src/protocol/format.ts';
import { formatLine, formatTags, safeName } from '../../src/protocol/format.ts';
import { canonicalName } from '../../src/protocol/names.ts';
import { createParser } from '../../src/protocol/parse.ts';
import { reasonOf } from '../../src/protocol/reasons.ts';
import { samplesOf } from './wire.ts';

/** What a line was read as. */
interface Read {
  reason: string | undefined;
  name: string;
  tags: string;
  samples: string[];
  canonical: string | undefined;
}

const parser = createParser();

function read(text: string): Read {
  const bytes = Buffer.from(text, 'utf8');
  const reason = reasonOf(parser.parse(bytes, 0, bytes.length));
  const { line } = parser;
  const name = bytes.subarray(line.nameStart, line.nameEnd);
  const tags = bytes.subarray(line.tagsStart, line.tagsEnd);
  const result = canonicalName(name, tags, 'keep');
  const canonical = 'name' in result ? result.name : undefined;
  const texts = { name: name.toString(), tags: tags.toString() };
  return { reason, ...texts, samples: samplesOf(line), canonical };
}

describe('formatLine', () => {
  const facts: [sample: Sample, line: string][] = [
    [{ name: 'a', value: 1, type: 'c' }, 'a:1|c'],
    [{ name: 'a', value: -1.5, type: 'c' }, 'a:-1.5|c'],
    [{ name: 'a', value: -0, type: 'c' }, 'a:0|c'],
    [{ name: 'a', value: 1e21, type: 'c' }, 'a:1e+21|c'],
    [{ name: 'a', value: 1e-9, type: 'h' }, 'a:1e-9|h'],
    [{ name: 'a', value: 320, type: 'ms', rate: 0.1 }, 'a:320|ms|@0.1'],
    [{ name: 'a', value: 320, type: 'ms', rate: 1e-7 }, 'a:320|ms|@1e-7'],
    [{ name: 'a', value: 1, type: 'c', rate: 1 }, 'a:1|c'],
    [{ name: 'a', value: 1, type: 'c', rate: undefined }, 'a:1|c'],
    [{ name: 'a', value: 3, type: 'g' }, 'a:3|g'],
    [{ name: 'a', value: '+3', type: 'g' }, 'a:+3|g'],
    [{ name: 'a', value: 'x:y', type: 's' }, 'a:x:y|s'],
    [{ name: 'a', value: 'x|y\nz\r', type: 's' }, 'a:x_y_z_|s'],
    [{ name: 'a', value: 3, type: 'd' }, 'a:3|d'],
    [{ name: 'a', value: 3, type: 'm' }, 'a:3|m'],
    [{ name: 'a:b|c\r\nd', value: 1, type: 'c' }, 'a_b_c__d:1|c'],
    [{ name: 'größe', value: 1, type: 'c' }, 'größe:1|c'],
    [{ name: 'a', value: 1, type: 'c', tags: {} }, 'a:1|c'],
    [{ name: 'a', value: 1, type: 'c', tags: { k: 'v' } }, 'a:1|c|#k:v'],
    [{ name: 'a', value: 1, type: 'c', tags: { k: '', l: 0, m: false } }, 'a:1|c|#k,l:0,m:false'],
    [{ name: 'a', value: 1, type: 'c', tags: { 'k,:|\n': 'v,:|\n' } }, 'a:1|c|#k____:v_:__'],
    [{ name: 'a', value: 1, type: 'c', rate: 0.5, tags: { k: 'v' } }, 'a:1|c|@0.5|#k:v'],
  ];
  for (const [sample, line] of facts) {
    it(`writes ${JSON.stringify(line)}`, () => expect(formatLine(sample)).to.equal(line));
  }

  it('has parts that do the same: a safe name, and tags', () => {
    expect(safeName('a:b|c\r\nd;e=f')).to.equal('a_b_c__d;e=f');
    expect(formatTags({})).to.equal('');
    expect(formatTags({ k: 'v', l: 'w' })).to.equal('|#k:v,l:w');
  });
});

describe('A line that was written, for all samples', () => {
  const character = fc.oneof(
    fc.constantFrom('\u{1f600}', ...':|\n\r,;=#@ \t/\0é'.split('')),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  );
  // Up to 64 characters of up to 4 bytes. An event and an empty name cannot be written.
  const name = fc
    .string({ unit: character, minLength: 1, maxLength: 64 })
    .filter((text) => !text.startsWith(';') && !text.startsWith('_e{'));
  const key = fc.string({ unit: character, minLength: 1, maxLength: 10 });
  const text = fc.string({ unit: character, maxLength: 20 });
  const tagValue = fc.oneof(text, fc.double(), fc.boolean());
  const tags = fc.option(fc.dictionary(key, tagValue, { maxKeys: 10 }), { nil: undefined });
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  const value = fc.oneof(
    finite,
    fc.integer(),
    fc.integer().map((cents) => cents / 100),
  );
  const rate = fc.option(
    fc.oneof(
      fc.double({ min: 0, minExcluded: true, max: 1, noNaN: true }),
      fc.constantFrom(1, 0.5, 0.1, 0.01, 1 / 3),
    ),
    { nil: undefined },
  );
  const runs = { numRuns: 3000 };
  const shared = { name, rate, tags };

  it('is read as the counter that it was', () => {
    const type = fc.constantFrom<SampleType>('c', 'm');
    const property = fc.property(fc.record({ ...shared, value, type }), (sample) => {
      const each = sample.rate ?? 1;
      // `+ 0`: minus zero is written as zero.
      const expected = (sample.value + 0) / each;
      if (!Number.isFinite(expected)) return expectRefused(sample);
      expectRead(sample, `c ${expected}${weightText(each)}`);
    });
    fc.assert(property, runs);
  });

  it('is read as the timing that it was', () => {
    const sampleOf = fc.oneof(
      fc.record({ ...shared, value, type: fc.constantFrom<SampleType>('h', 'd') }),
      fc.record({ ...shared, value: value.map(Math.abs), type: fc.constant<SampleType>('ms') }),
    );
    const property = fc.property(sampleOf, (sample) => {
      const each = sample.rate ?? 1;
      if (!Number.isFinite(1 / each)) return expectRefused(sample);
      expectRead(sample, `t ${sample.value + 0}${weightText(each)}`);
    });
    fc.assert(property, runs);
  });

  it('is read as the gauge that it was: one below zero, which has a sign, as a change', () => {
    const type = fc.constant<SampleType>('g');
    const property = fc.property(fc.record({ ...shared, value, type }), (sample) => {
      expectRead(sample, sample.value < 0 ? `g by ${sample.value}` : `g ${sample.value + 0}`);
    });
    fc.assert(property, runs);
  });

  it('is read as the member that it was', () => {
    const member = fc.string({ unit: character, minLength: 1, maxLength: 20 });
    const sampleOf = fc.record({ ...shared, value: member, type: fc.constant<SampleType>('s') });
    const property = fc.property(sampleOf, (sample) => {
      const utf8 = Buffer.from(sample.value.replaceAll(/[|\r\n]/g, '_')).toString('latin1');
      expect(read(formatLine(sample)).samples).to.deep.equal([`s ${utf8}`]);
    });
    fc.assert(property, runs);
  });

  function expectRefused(sample: Sample): void {
    expect(read(formatLine(sample)).reason).to.equal('bad_value');
  }

  function expectRead(sample: Sample, expected: string): void {
    const line = formatLine(sample);
    const { reason, samples, ...found } = read(line);
    expect(reason, line).to.equal(undefined);
    expect(samples).to.deep.equal([expected]);
    expect(found.name).to.equal(sample.name.replaceAll(/[:|\r\n]/g, '_'));
    expect(found.tags).to.equal(formatTags(sample.tags ?? {}).slice(2));
    expectSameTags(sample, found.canonical);
  }

  /** Each tag is there with its value, as far as a tag can carry it; no other is. */
  function expectSameTags(
    { name: given, tags: sent }: Sample,
    canonical: string | undefined,
  ): void {
    // Graphite tags in the name may be bad ones; then no tags are read at all.
    if (given.includes(';')) return;
    expect(new Set(canonical!.split(';').slice(1))).to.deep.equal(new Set(tagTexts(sent ?? {})));
  }
});

function tagTexts(tags: Tags): string[] {
  return Object.entries(tags).map(([key, value]) => {
    const keyText = key.replaceAll(/[:,|;=]|\p{Cc}/gu, '_');
    return `${keyText}=${String(value).replaceAll(/[,|;]|\p{Cc}/gu, '_')}`;
  });
}

function weightText(rate: number): string {
  return rate === 1 ? '' : ` ×${1 / rate}`;
}
