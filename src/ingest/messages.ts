import type { LedgerLimits } from '../ledger/ledger.ts';
import type { MappedRegion } from '../state/mapped-memory.ts';
import type { Naming } from './kept-ledger.ts';
import type { Descriptors, ReceiverChoice, ReceiverKind, Sharing } from './receiver.ts';

/** A ledger as it travels between threads: the memory is shared, not copied. */
export interface LedgerHandle {
  limits: LedgerLimits;
  handshake: SharedArrayBuffer;
  /** Plain memory, or where a file's is. */
  region: SharedArrayBuffer | MappedRegion;
  /** How many sets of tags the names in it have; absent where none are counted. */
  tagSets?: SharedArrayBuffer | undefined;
}

/** What the ingest thread is started with. */
export interface IngestThreadOptions {
  host: string;
  port: number;
  naming: Naming;
  receiveBufferBytes: number;
  receiver: ReceiverChoice;
  sharing: Sharing;
  /** See `ReceiverOptions.path`. */
  path: string | undefined;
  /** A socket that was left by a thread that died, for this one to go on with. */
  adopt: Descriptors | undefined;
  ledger: LedgerHandle;
}

/** What the main thread says to the ingest thread. */
export type ToIngest =
  /**
   * Read what lies in the socket, then look at the flip that the ledger's control words ask for.
   * Answered by `flipped`.
   */
  | { type: 'flip' }
  /** From now on write into this ledger; the old one is the reader's. Answered by `swapped`. */
  | { type: 'swap'; ledger: LedgerHandle }
  /** Read what lies in the socket, then close it. Answered by `stopped`. */
  | { type: 'stop'; timeoutMs: number };

/** Where the socket is bound, and the receive buffer granted. */
export interface BoundSocket {
  receiver: ReceiverKind;
  /** See `Receiver.descriptors`; the main thread closes them when the ingest thread is no more. */
  descriptors: Descriptors | undefined;
  /** Why it is not the faster one that was looked for first. */
  note: string | undefined;
  /** Whether others may bind the same port beside it. */
  isShared: boolean;
  address: string;
  port: number;
  receiveBufferBytes: number;
}

/** What the ingest thread says to the main thread. */
export type FromIngest =
  | { type: 'bound'; socket: BoundSocket }
  | { type: 'failed'; code: string; message: string }
  /** `kernelDrops` is what the kernel has thrown away so far; null where it does not tell. */
  | { type: 'flipped'; kernelDrops: number | null }
  | { type: 'swapped' }
  /** The timing log is half full: a flip would be welcome before the next one is due. */
  | { type: 'half-full' }
  /** A name has as many sets of tags as it may have, and came with another. */
  | { type: 'folded'; name: string }
  /**
   * `drained` is false if the socket still held datagrams at the deadline. The kernel forgets its
   * drops with the socket, so they are read last of all.
   */
  | { type: 'stopped'; drained: boolean; kernelDrops: number | null };
