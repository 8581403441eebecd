import { expect } from 'chai';
import { describe, it } from 'mocha';

import { Histogram } from '../../src/histogram.ts';
import { EXACT_VALUES_MAX } from '../../src/trap-receiver/values.ts';
import { read, recordingSink, type RecordingSink } from './rig.ts';

/** What is kept of a body. */
function kept(body: string): RecordingSink {
  const sink = recordingSink();
  read(body, sink);
  return sink;
}

/** The samples of the metric `a` whose members are given. */
function samples(members: string): [value: number, count: number][] {
  return kept(`{"a":{${members}}}`).samples.map(([, value, count]) => [value, count]);
}

describe('Of a submission is kept', () => {
  it('each element of an n, as one sample', () => {
    const body = '{"/foo":{"_type":"n","_value":[12,7,940]},"/bar":{"_type":"n","_value":[]}}';
    expect(kept(body).samples).to.deep.equal([
      ['/foo', 12, 1],
      ['/foo', 7, 1],
      ['/foo', 940, 1],
    ]);
  });

  for (const [value, wanted] of [
    ['5', [5]],
    ['"12abc"', [12]],
    ['" 1e5"', [1e5]],
    ['"007"', [7]],
    ['"-.5"', [-0.5]],
    ['"0x10"', [16]],
    ['1e-7', [1e-7]],
    ['true', [1]],
    ['[[1],[2,[3]]]', [1, 2, 3]],
    ['"abc"', []],
    ['""', []],
    ['null', []],
    ['1e999', []],
    ['"NaN"', []],
    ['"inf"', []],
    ['"1\\u00002"', [1]],
  ] as const) {
    it(`${wanted.join(' and ') || 'nothing'} of the n ${value}`, () => {
      const found = samples(`"_type":"n","_value":${value}`);
      expect(found).to.deep.equal(wanted.map((one) => [one, 1]));
      expect(samples(`"_value":${value},"_type":"n"`)).to.deep.equal(found);
    });
  }

  for (const [value, wanted] of [
    [
      '[1,1.5]',
      [
        [1, 1],
        [1.5, 1],
      ],
    ],
    ['"H[1.2e+01]=3"', [[12.5, 3]]],
    ['"H[ 1e-7]= +2.9"', [[1.05e-7, 2]]],
    ['"12% inodes"', [[12, 1]]],
    ['1e-7', []],
    ['"1e5"', []],
    ['1e5', []],
    ['"007"', []],
    ['-1e30', []],
    ['100000000000000000000000000000000', [[2 ** 64, 1]]],
    ['["H[]=3","H[1]","H[1]=","H[1]=0","H[1]=-1","H[x]=1","h[1]=1"]', []],
    ['"H[1]=9007199254740991"', [[1.05, 2 ** 53 - 1]]],
    ['"H[1]=9007199254740992"', []],
    ['["!!!!","AAE=","AAEKAAA","xxxx",""]', []],
  ] as const) {
    it(`${JSON.stringify(wanted)} of the h ${value}`, () => {
      expect(samples(`"_type":"h","_value":${value}`)).to.deep.equal(wanted);
    });
  }

  it('the same of the five spellings of a histogram (HR3, HT9)', () => {
    const b64 = 'AAQKAAABFAAAAR4AAAEoAAB4';
    const body = `{"a":{"_type":"h","_value":[1,2,3,"H[4]=120"]},
      "b":{"_type":"h","_value":["H[4]=120",3,2,1]}, "c":{"_value":"${b64}","_type":"h"},
      "d":{"_type":"h","_value":["${b64}"]}, "e":{"_type":"h","_value":["${b64}",1,2,3,"H[4]=120"]}}`;
    const sink = kept(body);
    for (const name of ['a', 'b', 'c', 'd']) expect(sink.all(name), name).to.equal(b64);
    expect(sink.all('e')).to.equal('AAQKAAACFAAAAh4AAAIoAADw');
  });

  it('what is not a number, in the bin for that', () => {
    const sink = kept('{"a":{"_type":"h","_value":["H[nan]=2","H[-inf]=1",1.5e+999,1.5e+200]}}');
    expect(sink.samples).to.deep.equal([['a', 1.5e200, 1]]);
    expect(Histogram.fromBase64(sink.histograms[0]![1]).toStrings()).to.deep.equal(['H[NaN]=4']);
  });

  it('nothing that would count past 2^53, and what stands beside it', () => {
    const full = new Histogram();
    full.add(1, 2 ** 53 - 1);
    const one = new Histogram();
    one.add(2, 5);
    const texts = [full, one, full].map((histogram) => `"${histogram.toBase64()}"`);
    const sink = kept(`{"a":{"_type":"h","_value":[${texts.join(',')},3]}}`);
    expect(sink.histograms).to.deep.equal([['a', full.toBase64()]]);
    expect(sink.samples).to.deep.equal([['a', 3, 1]]);
  });

  it('every value of a long list: beyond some, in a histogram', () => {
    const sink = kept(`{"a":{"_type":"n","_value":[${'7,'.repeat(EXACT_VALUES_MAX + 9)}7]}}`);
    expect(sink.samples).to.have.length(EXACT_VALUES_MAX);
    const [[, text]] = sink.histograms as [[string, string]];
    expect(Histogram.fromBase64(text).toStrings()).to.deep.equal(['H[7.0e+00]=10']);
  });

  it('the largest histogram there is, with escapes', () => {
    const histogram = new Histogram();
    for (let power = -128; power < 128; power++) {
      for (let digits = 10; digits < 100; digits++) {
        histogram.add(Number(`${digits}e${power - 1}`), 2 ** 36);
        histogram.add(Number(`-${digits}e${power - 1}`), 2 ** 36);
      }
    }
    const text = histogram.toBase64();
    const sink = kept(`{"a":{"_type":"h","_value":"${text.replaceAll('/', '\\/')}"}}`);
    expect(sink.all('a')).to.equal(text);
  });

  for (const [what, body] of [
    ['plain values', '{"a":1,"b":[1,2],"c":"3","d":true}'],
    ['other types', '{"a":{"_type":"L","_value":1},"b":{"_type":"H","_value":["H[1]=3"]}}'],
    ['a metric of no type', '{"a":{"_value":5},"b":{"_ts":1,"_value":5}}'],
    ['a list with a time of its own', '{"a":{"_type":"h","_ts":1,"_value":[1,2]}}'],
    ['a number with a time as a histogram', '{"a":{"_type":"h","_ts":1,"_value":1}}'],
    ['a metric that is cut', '{"a":{"_type":"n","_value":[1,2]'],
    ['a metric with an error in it', '{"a":{"_type":"n","_value":[1,2],"_type":"q"}}'],
  ]) {
    it(`nothing of ${what}`, () => {
      const sink = kept(body!);
      expect([sink.samples, sink.histograms]).to.deep.equal([[], []]);
    });
  }

  it('what was complete before an error, and a number that ends with the body', () => {
    const metric = '"a":{"_type":"n","_value":[1,2]}';
    expect(kept(`{${metric},}`).samples).to.have.length(2);
    expect(read('{"a":1,"b":2').stats).to.equal(2);
    expect(read('{"a":1,"b":2.').stats).to.equal(1);
  });

  it('the last type, where there are two', () => {
    expect(samples('"_type":"h","_value":["H[1]=2",1e5],"_type":"n"')).to.deep.equal([[1e5, 1]]);
  });
});

describe('The acceptance cases of the original hold', () => {
  for (const [name, body, stats] of [
    ['HR2', '{"array":[1,1.2,"string","100","18446744073709551614","1.5"]}', 6],
    ['HR4', '{"a":1}{"b":2}\n{"a":3,"b":4}\n{"c":5}', 5],
    [
      'HR5',
      [1, 2, 3, 4].map((n) => `{"timetest":{"_ts":${n}000,"_type":"n","_value":${n}}}`).join('\n'),
      4,
    ],
    [
      'HR6',
      '{"a":{"_type":"L","_value":125,"_fl":"+"},"b":{"_type":"L","_value":12345},"c":54321}',
      3,
    ],
    ['HR7', '{"a":{"_type":"h","_value":"AAEVAAAC","_ts":"1566337910997"}}', 1],
  ] as const) {
    it(name, () => {
      for (let turn = 0; turn < 10; turn++) {
        expect(read(body)).to.deep.equal({ status: 200, stats, filtered: 0 });
      }
    });
  }
});
