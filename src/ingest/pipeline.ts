import type { LedgerWriter } from '../ledger/writer.ts';
import { createParser, forEachLine } from '../protocol/parse.ts';
import { Verdict } from '../protocol/reasons.ts';

/**
 * Returns what is done with each datagram: count it, read its lines, add each to the ledger.
 * This is the hot path. Nothing in it waits, throws, or allocates for a known name.
 *
 * @param writer returns the writer of the ledger in use; asked once per datagram.
 */
export function createPipeline(
  writer: () => LedgerWriter,
): (bytes: Uint8Array, length: number) => void {
  const parser = createParser();
  let current = writer();

  return function onPacket(bytes, length) {
    current = writer();
    current.datagram(length);
    forEachLine(bytes, length, onLine);
  };

  function onLine(bytes: Uint8Array, start: number, end: number): void {
    const read = parser.parse(bytes, start, end);
    const verdict = read === Verdict.accepted ? current.add(parser.line) : read;
    if (verdict !== Verdict.accepted) current.reject(verdict, bytes, start, end);
  }
}
