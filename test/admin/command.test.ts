import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';

import { readCommand } from '../../src/admin/command.ts';

describe('A line of the console', () => {
  const table: [line: string, words: string[]][] = [
    ['help', ['help']],
    ['help\r', ['help']],
    ['health  up', ['health', 'up']],
    [' \thealth \t up\t ', ['health', 'up']],
    ['delcounters a.b c.* é', ['delcounters', 'a.b', 'c.*', 'é']],
    ['HELP', ['HELP']],
    ['', ['']],
    ['\r', ['']],
    ['  ', ['']],
    ['delcounters a.HTTP/1.1', ['delcounters', 'a.HTTP/1.1']],
    ['delcounters HTTP/1.1 a', ['delcounters', 'HTTP/1.1', 'a']],
    ['POST / HTTP/1.1 and more', ['POST', '/', 'HTTP/1.1', 'and', 'more']],
    ['GET /', ['GET', '/']],
    ['__proto__ constructor', ['__proto__', 'constructor']],
  ];
  for (const [line, [name, ...words]] of table) {
    it(`${JSON.stringify(line)} is words`, () => {
      expect(readCommand(line)).to.deep.equal({ name, words });
    });
  }

  const refused = [
    'GET / HTTP/1.1',
    'GET / HTTP/1.1\r',
    'POST /x?y=z HTTP/1.0\r',
    'OPTIONS * HTTP/1.1',
    'PRI * HTTP/2.0',
    'GET HTTP/1.1',
    'get / http/1.1',
    'M-SEARCH * HTTP/1.1',
    'delcounters /api.* HTTP/1.1\r',
    'POST / HTTP/1.1 \r',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'health\0 down',
    'stats\rhealth down',
    '\x1b[A',
    'a\x7f',
    'a\x85',
  ];
  for (const line of refused) {
    it(`${JSON.stringify(line)} is nobody’s who is to be obeyed`, () => {
      expect(readCommand(line)).to.equal(undefined);
    });
  }

  it('may hold anything: reading it never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (line) => {
        const command = readCommand(line);
        for (const word of command?.words ?? []) expect(word).to.match(/^[^ \t]+$/);
      }),
    );
  });

  it('of 64 KiB is read at once, however it is made', () => {
    const startMs = performance.now();
    for (const piece of ['a ', 'HTTP/1.1 ', ' HTTP/', '!', '\t']) {
      readCommand(piece.repeat(65_536 / piece.length));
      readCommand(`GET ${piece.repeat(65_536 / piece.length)}`);
    }
    expect(performance.now() - startMs).to.be.below(500);
  });
});
