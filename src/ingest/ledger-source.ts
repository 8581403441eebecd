import type { LedgerReader } from '../ledger/reader.ts';
import type { OldLedger, Seed } from './kept-ledger.ts';

/** What lines come over. */
export type Transport = 'udp' | 'tcp' | 'unix';

/** One who reads lines into a ledger of its own, as the drainer knows it. */
export interface LedgerSource {
  readonly transport: Transport;
  /** Its thread died, and another is to take its place: see `renew`. */
  readonly isDead: boolean;
  /**
   * Whether anything was read since the last flip, for who can wait: what was read just now may be
   * passed over. Cost: a look at memory; no thread is woken.
   */
  hasNew(): boolean;
  /**
   * Flips the ledger and returns its reader, whose `drain` has then to be called. A thread reads
   * what lies in its socket before it flips.
   */
  flip(): Promise<LedgerReader>;
  /**
   * Puts an empty ledger, in which only the seeds are known, in the place of the present one, whose
   * last flip has to be drained. A thread that is dead is replaced too, on the same socket. Rejects
   * where that cannot be had any more.
   */
  renew(seeds: Iterable<Seed>): Promise<OldLedger>;
}
