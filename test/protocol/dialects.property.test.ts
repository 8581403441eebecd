import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { TAG_DIALECTS } from '../../src/protocol/dialects.ts';
import { canonicalName, type NameRule, TAGS_MAX } from '../../src/protocol/names.ts';
import { reasonOf } from '../../src/protocol/reasons.ts';
import { naiveParse } from '../support/naive-parser.ts';
import { countedAs, WIDE, WRITTEN } from './tagged.ts';
import { bytesOf, createWire, utf8 } from './wire.ts';

for (const dialect of TAG_DIALECTS) {
  describe(`Any name under --tags ${dialect}`, () => {
    it('gives back the tags that were written, whatever they are', () => {
      const unit = fc.constantFrom(...'abAB09_.-'.split(''));
      const tag = fc.tuple(
        fc.string({ unit, minLength: 1, maxLength: 4 }),
        fc.string({ unit: fc.oneof(unit, fc.constant('=')), maxLength: 4 }),
      );
      const tags = fc.array(tag, { maxLength: 8 });
      const property = fc.property(fc.string({ unit, minLength: 1 }), tags, (name, pairs) => {
        const wanted = [...new Set(pairs.map(([key, value]) => `${key}\0${value}`))].toSorted();
        const [base, ...found] = countedAs(WRITTEN[dialect](name, pairs), dialect).split(';');
        expect(base).to.equal(name);
        expect(found.map((text) => text.replace('=', '\0'))).to.deep.equal(wanted);
        expect(countedAs(WRITTEN.graphite(name, pairs), dialect).split(';')).to.deep.equal(
          [base, ...found], // prettier-ignore
        );
      });
      fc.assert(property, { numRuns: 300 });
    });

    it('is its own canonical name, and is refused for names and tags alone', () => {
      const unit = fc.oneof(
        fc.constantFrom(...'ab,#[];=|/ \0é'.split('')).map(utf8),
        fc.constantFrom('\xc3', '\xff'),
      );
      const text = fc.string({ unit, maxLength: 12 });
      const rule = fc.constantFrom<NameRule>('statsd', 'keep');
      const property = fc.property(text, text, rule, (name, tags, under) => {
        const once = canonicalName(bytesOf(name), bytesOf(tags), under, dialect);
        if ('refused' in once) {
          expect(['bad_name', 'bad_tags']).to.include(reasonOf(once.refused));
        } else {
          const bytes = Buffer.from(once.name);
          expect(canonicalName(bytes, new Uint8Array(0), under, dialect)).to.deep.equal(once);
          expect(once.name.split(';').length - 1).to.be.at.most(TAGS_MAX);
        }
      });
      fc.assert(property, { numRuns: 600 });
    });

    it('is what regular expressions find in it, whatever it is', () => {
      const piece = fc.oneof(
        fc.constantFrom(...'a,#[];=|:? '.split('')),
        fc.constantFrom(
          'k=v',
          ':1|c',
          '|#',
          'n'.repeat(300),
          'v'.repeat(200),
          'é',
          ',t'.repeat(64),
        ),
      );
      const text = fc.array(piece, { maxLength: 12 }).map((pieces) => utf8(pieces.join('')));
      const accepted = new Set<boolean>();
      const property = fc.property(text, fc.boolean(), (any, isKept) => {
        const rule = isKept ? 'keep' : 'statsd';
        const line = `a${any}:1|c`.replaceAll('\n', '');
        const naive = naiveParse(line, rule, dialect);
        const found = countedAs(line, dialect, rule);
        accepted.add(naive.reason === undefined);
        expect(found).to.equal(naive.reason === undefined ? naive.name : `(${naive.reason})`);
      });
      fc.assert(property, { numRuns: 400 });
      expect(accepted.size).to.equal(2);
    });

    it('means what it means without a dialect where its marks are not in it', () => {
      const unit = fc.constantFrom(...'ab;=|:#1c\n'.split(''));
      const property = fc.property(fc.string({ unit, maxLength: 24 }), (text) => {
        // Librato's mark is DogStatsD's too.
        const datagram = dialect === 'librato' ? text.replaceAll(/(?<!\|)#/g, '') : text;
        const [one, other] = [undefined, dialect].map((as) => {
          const wire = createWire(WIDE, 'keep', { dialect: as });
          wire.send(datagram);
          return wire.drain();
        });
        expect(other).to.deep.equal(one);
      });
      fc.assert(property, { numRuns: 500 });
    });
  });
}
