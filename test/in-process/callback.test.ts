import { expect } from 'chai';
import { describe, it } from 'mocha';
import { answer } from '../../src/in-process/callback.ts';
import { settle } from '../support/fake-time.ts';

describe('A call without a callback', () => {
  it('is answered by its promise', async () => {
    const promise = Promise.resolve(7);
    expect(answer(promise, undefined)).to.equal(promise);
    const failure = new Error('away');
    const failed = answer(Promise.reject(failure), undefined);
    expect(await failed!.catch((error: unknown) => error)).to.equal(failure);
  });
});

describe('A callback', () => {
  it('is given the result, once, and the call returns nothing', async () => {
    const calls: unknown[][] = [];
    const returned = answer(Promise.resolve('7'), (...args) => void calls.push(args));
    expect([returned, calls]).to.deep.equal([undefined, []]);
    await settle();
    expect(calls).to.deep.equal([[null, '7']]);
  });

  it('is given null or undefined as any other result', async () => {
    for (const result of [null, undefined]) {
      const calls: unknown[][] = [];
      void answer(Promise.resolve(result), (...args) => void calls.push(args));
      await settle();
      expect(calls).to.deep.equal([[null, result]]);
    }
  });

  it('is given the error, once, and no rejection is left unhandled', async () => {
    const failure = new Error('away');
    const calls: unknown[][] = [];
    void answer(Promise.reject(failure), (...args) => void calls.push(args));
    await settle();
    expect(calls).to.have.length(1);
    expect(calls[0]![0]).to.equal(failure);
  });

  it('is given an error also for a rejection that is none', async () => {
    const calls: unknown[][] = [];
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it is what is tested
    void answer(Promise.reject(undefined), (...args) => void calls.push(args));
    await settle();
    expect(calls).to.have.length(1);
    expect(calls[0]![0]).to.be.instanceOf(Error);
  });
});
