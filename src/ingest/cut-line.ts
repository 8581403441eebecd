import type { LedgerWriter } from '../ledger/writer.ts';
import type { TagDialect } from '../protocol/dialects.ts';
import { createParser } from '../protocol/parse.ts';
import { Verdict } from '../protocol/reasons.ts';
import type { OnPacket } from './pipeline.ts';

/**
 * Returns what is done with bytes that were cut off within a line, because there were more than may
 * be: the lines before are read, and the last one is refused, once, whatever it says.
 *
 *     a:1|c\nb:1:1:1:1:1:1:1:1:1:1:1:1:1 …           more than 64 KiB
 *     ^^^^^^  ^^^^^^^^^^^^^^^^^^^^^^^^^^
 *     read    refused, for the reason that reading says; where it sees no fault so far, what is
 *             too long is behind the type, and the reason is `bad_tags`
 */
export function createCutter(
  writer: () => LedgerWriter,
  onPacket: OnPacket,
  dialect?: TagDialect,
): OnPacket {
  const parser = createParser(dialect);
  return (packet, start, length) => {
    const { bytes } = packet;
    const end = start + length;
    const line = Math.max(start, bytes.lastIndexOf(LF, end - 1) + 1);
    onPacket(packet, start, line - start);
    const read = parser.parse(bytes, line, end);
    const verdict = read === Verdict.accepted ? Verdict.badTags : read;
    writer().reject(verdict, bytes, line, end);
  };
}

const LF = 0x0a;
