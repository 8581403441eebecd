import { expect } from 'chai';
import { describe, it } from 'mocha';
import { hostPort } from '../../src/ingest/address.ts';

describe('An address and port', () => {
  for (const [host, text] of [
    ['127.0.0.1', '127.0.0.1:8125'],
    ['::1', '[::1]:8125'],
    ['::', '[::]:8125'],
    ['fe80::1%eth0', '[fe80::1%eth0]:8125'],
    ['::ffff:7f00:1', '127.0.0.1:8125'],
    ['::ffff:a00:ff', '10.0.0.255:8125'],
    ['::FFFF:192.0.2.1', '192.0.2.1:8125'],
    ['::ffff:0:7f00:1', '[::ffff:0:7f00:1]:8125'],
  ] as const) {
    it(`of ${host} is ${text}`, () => expect(hostPort(host, 8125)).to.equal(text));
  }
});
