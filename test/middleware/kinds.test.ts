import { expect } from 'chai';
import { describe, it } from 'mocha';
import { jsendKind, type Kind, statusKind } from '../../src/middleware/kinds.ts';

describe('The kind of a status', () => {
  const table: [status: number, kind: Kind | undefined][] = [
    [200, '2xx'],
    [204, '2xx'],
    [299, '2xx'],
    [300, '3xx'],
    [304, '3xx'],
    [404, '4xx'],
    [499, '4xx'],
    [500, '5xx'],
    [599, '5xx'],
    [100, undefined],
    [199, undefined],
    [600, undefined],
    [999, undefined],
    [0, undefined],
    [-200, undefined],
    [NaN, undefined],
  ];
  for (const [status, kind] of table) {
    it(`${status} is ${kind ?? 'none'}`, () => expect(statusKind(status)).to.equal(kind));
  }
});

describe('The kind of what was given to res.jsend', () => {
  const table: [status: unknown, kind: Kind | undefined][] = [
    ['success', 'success'],
    ['error', 'error'],
    ['fail', 'fail'],
    ['SUCCESS', 'success'],
    ['Fail', 'fail'],
    ['eRRoR', 'error'],
    ['failed', undefined],
    [' fail', undefined],
    ['', undefined],
    ['__proto__', undefined],
    ['constructor', undefined],
    ['requestTotal', undefined],
    [undefined, undefined],
    [null, undefined],
    [200, undefined],
    [['success'], undefined],
  ];
  for (const [status, kind] of table) {
    it(`${JSON.stringify(status)} is ${kind ?? 'none'}`, () => {
      expect(jsendKind(status)).to.equal(kind);
    });
  }
});
