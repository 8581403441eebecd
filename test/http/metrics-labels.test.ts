import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { nameLabels } from '../../src/http/metrics-labels.ts';
import { readPrometheus } from '../support/prometheus-text.ts';

/** What Prometheus takes for the labels of a name, after the text went through UTF-8. */
function labelsOf(full: string): Record<string, string> {
  const text = `# HELP a b\n# TYPE a gauge\na{${nameLabels(full)}} 1\n`;
  const sent = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text));
  expect(sent).to.equal(text);
  return readPrometheus(sent).samples[0]!.labels;
}

const NAMES: [full: string, labels: Record<string, string>][] = [
  ['api.hits', { name: 'api.hits' }],
  ['requestTotal./users/:id', { name: 'requestTotal./users/:id' }],
  ['checkout;zone=eu', { name: 'checkout', tag_zone: 'eu' }],
  ['a;host=b;zone=c=d', { name: 'a', tag_host: 'b', tag_zone: 'c=d' }],
  ['__proto__;__proto__=x', { name: '__proto__', tag___proto__: 'x' }],
  // Keys are made fit, and the name is told as it was.
  ['a;hostName=x', { name: 'a', tag_host_name: 'x', full_name: 'a;hostName=x' }],
  ['a;HOST=x', { name: 'a', tag_host: 'x', full_name: 'a;HOST=x' }],
  ['a;k.é-😀=x', { name: 'a', tag_k____: 'x', full_name: 'a;k.é-😀=x' }],
  ['a;k=1;k=2', { name: 'a', tag_k: '1', tag_k_2: '2', full_name: 'a;k=1;k=2' }],
  ['a;k-=1;k.=2', { name: 'a', tag_k_: '1', tag_k__2: '2', full_name: 'a;k-=1;k.=2' }],
  [
    'a;k=1;k=2;k_2=3',
    { name: 'a', tag_k: '1', tag_k_2: '2', tag_k_2_2: '3', full_name: 'a;k=1;k=2;k_2=3' },
  ],
  // A label that is empty is none to Prometheus.
  ['a;canary=', { name: 'a', full_name: 'a;canary=' }],
  // What statcol did not make may be of any form.
  ['', {}],
  ['a;b', { name: 'a;b' }],
  ['a;=b', { name: 'a;=b' }],
  [';k=v', { tag_k: 'v' }],
  ['say "hi"\\n\n', { name: 'say "hi"\\n\n' }],
  ['\0\u0007\r\u0085\u2028', { name: '\0\u0007\r\u0085\u2028' }],
  ['a\ud800', { name: 'a\ufffd', full_name: String.raw`a\ud800` }],
];

describe('the labels of a name', () => {
  for (const [full, labels] of NAMES) {
    it(`of ${JSON.stringify(full)} are ${JSON.stringify(labels)}`, () => {
      expect({ ...labelsOf(full) }).to.deep.equal(labels);
    });
  }

  it('are its name alone where there are more tags than a line can have', () => {
    const full = `a${Array.from({ length: 65 }, (_, n) => `;k=${n}`).join('')}`;
    expect({ ...labelsOf(full) }).to.deep.equal({ name: full });
  });

  it('are those of no other name', () => {
    const piece = fc.constantFrom(
      ...['a', ';', ';', '=', '=', 'k', 'K', 'aB', '_', '_2', '.', '"', '\\', '\\n', '\n'],
      ...['\ud800', '\udc00', '\ufffd', String.raw`\ud800`],
    );
    const tag = fc
      .tuple(fc.constantFrom('k', 'K', 'k_2', 'k.', 'aB', 'a_b'), piece)
      .map(([key, value]) => `;${key}=${value}`);
    const one = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      fc.array(tag, { maxLength: 4 }).map((tags) => `a${tags.join('')}`),
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => {
        return String.fromCharCode(...units);
      }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(one, { maxLength: 100 }), (names) => {
        const found = new Set(
          names.map((name) => JSON.stringify(Object.entries(labelsOf(name)).toSorted())),
        );
        expect(found.size).to.equal(names.length);
      }),
      { numRuns: 300 },
    );
  });
});
