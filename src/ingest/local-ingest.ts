import type { LedgerReader } from '../ledger/reader.ts';
import { createLedgerReader } from '../ledger/reader.ts';
import { createLedgerWriter, type LedgerWriter } from '../ledger/writer.ts';
import { createCutter } from './cut-line.ts';
import type { IngestOptions } from './ingest.ts';
import {
  type Naming,
  noLedger,
  type OldLedger,
  type Seed,
  seedLedger,
  takeOver,
} from './kept-ledger.ts';
import type { LedgerSource, Transport } from './ledger-source.ts';
import type { LineTargets } from './line-frames.ts';
import { createPipeline } from './pipeline.ts';

/** What a local ingest is made with. */
export interface LocalIngestOptions extends Pick<
  IngestOptions,
  'createLedger' | 'onFolded' | keyof Naming
> {
  transport: Transport;
  /** Returns who has sent the lines that are being handed over. */
  source: () => string;
  /** The timing log is half full: drain soon. */
  onHalfFull: () => void;
  /** It was, and there is room again. */
  onRoom: () => void;
}

/**
 * A ledger whose writer is in the same thread as its reader: for who receives there. A flip is
 * immediate, and nothing is ever between the two.
 */
export interface LocalIngest extends LedgerSource, LineTargets {
  /**
   * The timing log is half full, and no flip has come yet. Who can wait with further lines does: a
   * full one would lose timings.
   */
  readonly isHalfFull: boolean;
  /** Gives the ledger's memory back, when nobody reads it any more: then it holds nothing. */
  release(): void;
}

/** Creates a local ingest; see {@link LocalIngest}. */
export function createLocalIngest(options: LocalIngestOptions): LocalIngest {
  const { names, dialect, tagSetsMax, hashSeed } = options;
  const naming: Naming = { names, dialect, tagSetsMax, hashSeed };
  let kept = options.createLedger();
  let writer = writerOf();
  let reader = createLedgerReader(kept.ledger, kept.id);
  let isHalfFull = false;
  const currentWriter = (): LedgerWriter => writer;
  const onLines = createPipeline(currentWriter, options.dialect);

  return {
    transport: options.transport,
    isDead: false,
    onLines,
    onCut: createCutter(currentWriter, onLines, options.dialect),
    get isHalfFull() {
      return isHalfFull;
    },
    hasNew: () => reader.hasNew(),
    flip() {
      reader.requestFlip();
      writer.poll();
      hasRoom();
      return Promise.resolve<LedgerReader>(reader);
    },
    renew,
    release() {
      const old = kept;
      kept = noLedger();
      writer = writerOf();
      reader = createLedgerReader(kept.ledger);
      old.release();
    },
  };

  async function renew(seeds: Iterable<Seed>): Promise<OldLedger> {
    const fresh = options.createLedger();
    let tagSets: SharedArrayBuffer | undefined;
    try {
      tagSets = await seedLedger(fresh.ledger, seeds, naming);
    } catch (error) {
      fresh.release();
      throw error;
    }
    const old = { ...kept, reader };
    kept = fresh;
    writer = writerOf(tagSets);
    reader = createLedgerReader(kept.ledger, kept.id);
    // Its last side was being written until now; nobody writes into it any more.
    old.reader.requestFlip();
    takeOver(old.ledger);
    hasRoom();
    return old;
  }

  function writerOf(tagSets?: SharedArrayBuffer): LedgerWriter {
    return createLedgerWriter(kept.ledger, {
      rule: names,
      dialect,
      tagSetsMax,
      hashSeed,
      tagSets,
      onFolded: (name) => options.onFolded?.(name),
      onHalfFull() {
        isHalfFull = true;
        options.onHalfFull();
      },
      source: options.source,
    });
  }

  function hasRoom(): void {
    if (!isHalfFull) return;
    isHalfFull = false;
    options.onRoom();
  }
}
