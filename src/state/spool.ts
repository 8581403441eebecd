import { closeSync, fsync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { errorText } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import { createByteWriter } from './byte-writer.ts';
import { createRecordWriter, type RecordWriter } from './record-writer.ts';
import { createSpoolFile, type SpoolFile, spoolFileName } from './spool-file.ts';

/** What a spool is made with. */
export interface SpoolParts {
  folder: string;
  limitBytes: number;
  /** The highest number that a spool file of the folder has had. */
  generation: number;
  /** Writes down how things stand, as one step. */
  snapshot: (records: RecordWriter) => void;
  /** Gives something up to make a snapshot smaller; false where nothing is left to be given up. */
  shed: () => boolean;
  /** What that spool says is not so any more, and is not to be believed by another process. */
  onVoid: (generation: number) => void;
  nowMs: () => number;
  log: Log;
}

/** Why nothing is remembered at present. */
export interface SpoolFailure {
  readonly error: string;
  /** On the collector's clock. */
  readonly sinceMs: number;
}

/** Remembers steps in a file, of which a smaller one is made now and then. */
export interface Spool {
  /** How long the file is. */
  readonly bytes: number;
  /** How much of its room what waited took when that was last written down: 1 is all. */
  readonly filled: number;
  /** Undefined while all is remembered. */
  readonly failure: SpoolFailure | undefined;
  /**
   * Remembers a step. Where that fails, nothing is from then on, until `tend` can mend that.
   *
   * @param isCrucial something will be done that must not be forgotten: see `synced`.
   */
  step(write: (records: RecordWriter) => void, isCrucial?: boolean): void;
  /** Resolves when a loss of power takes no crucial step back. Never rejects. */
  synced(): Promise<void>;
  /**
   * Begins a new file if the present one has grown long or has failed, and begins to sync it now
   * and then. To be called often, when everything that was remembered has also happened.
   */
  tend(): void;
  /** The file has not been removed, nor another put in its place. */
  isThere(): boolean;
  /** Begins a new file in any case; returns whether it could. */
  renew(): boolean;
  close(): void;
}

/** A spool file with this little behind its snapshot is not made anew. */
const SLACK_BYTES = 16 << 20;
/** So much can be lost with the machine while nothing is sent. */
const SYNC_EVERY_MS = 1000;
/** After a failure it is tried again so much later, and then twice as late, up to the second. */
const RETRY_FIRST_MS = 5000;
const RETRY_MAX_MS = 5 * 60_000;

const fileSync = promisify(fsync);

/** Creates a spool. Nothing is remembered before the first `renew`. */
export function createSpool(parts: SpoolParts): Spool {
  const { folder, log, nowMs } = parts;
  const bytes = createByteWriter();
  let { generation } = parts;
  let names = new Map<string, number>();
  let file: SpoolFile | undefined;
  let snapshotBytes = 0;
  // So that steps find room behind it.
  const snapshotBytesMax = parts.limitBytes / 4;
  let failure: SpoolFailure | undefined = { error: 'not begun', sinceMs: nowMs() };
  let retryMs = RETRY_FIRST_MS;
  let retryAtMs = 0;
  // What is to be removed as soon as what follows it cannot be lost any more.
  let superseded: string[] = [];
  let unsynced: 'nothing' | 'something' | 'crucial' = 'nothing';
  let syncedMs = 0;
  let hasShed = false;
  let syncing: Promise<void> = Promise.resolve();

  return {
    get bytes() {
      return file?.bytes ?? 0;
    },
    get filled() {
      return snapshotBytes / snapshotBytesMax;
    },
    get failure() {
      return failure;
    },
    step(write, isCrucial = false) {
      if (failure !== undefined) return;
      try {
        append(file!, names, withinLimit(write));
        if (isCrucial) unsynced = 'crucial';
        else if (unsynced === 'nothing') unsynced = 'something';
      } catch (error) {
        fail(error);
      }
    },
    synced: () => (failure === undefined && unsynced === 'crucial' ? sync() : syncing),
    tend() {
      if (failure === undefined) {
        const long = snapshotBytes + Math.max(SLACK_BYTES, 2 * snapshotBytes);
        const isLong = file!.bytes > Math.min(long, (3 / 8) * parts.limitBytes);
        if (isLong && nowMs() >= retryAtMs) renew();
        else if (unsynced !== 'nothing' && nowMs() - syncedMs >= SYNC_EVERY_MS) void sync();
      } else if (nowMs() >= retryAtMs) renew();
    },
    isThere: () => file?.isThere(join(folder, spoolFileName(generation))) ?? true,
    renew,
    close: () => void syncing.then(() => file?.close()),
  };

  function append(
    to: SpoolFile,
    known: Map<string, number>,
    write: (records: RecordWriter) => void,
  ): void {
    bytes.clear();
    write(createRecordWriter(bytes, known));
    to.append(bytes.bytes());
  }

  function renew(): boolean {
    const next = generation + 1;
    const path = join(folder, spoolFileName(next));
    const partial = `${path}.new`;
    const freshNames = new Map<string, number>();
    let fresh: SpoolFile | undefined;
    hasShed = false;
    try {
      fresh = createSpoolFile(partial);
      append(fresh, freshNames, snapshotWithinLimit(freshNames));
      renameSync(partial, path);
    } catch (error) {
      fresh?.close();
      rmSync(partial, { force: true });
      // The present file is as good as it was, unless something was given up that it still holds.
      if (failure !== undefined || file === undefined || hasShed) fail(error);
      else retryAtMs = nowMs() + RETRY_FIRST_MS;
      return false;
    }
    const before = file;
    if (before !== undefined) {
      superseded.push(join(folder, spoolFileName(generation)));
      void syncing.then(() => before.close()); // its number must not be another's while it is used
    }
    [file, names, generation, snapshotBytes] = [fresh, freshNames, next, fresh.bytes];
    if (failure !== undefined && failure.error !== 'not begun') {
      log('info', `${folder}: everything is remembered again`);
    }
    failure = undefined;
    retryMs = RETRY_FIRST_MS;
    void sync();
    return true;
  }

  /** At most half of the limit: for a while there are two files. */
  function withinLimit(write: (records: RecordWriter) => void): (records: RecordWriter) => void {
    return (records) => {
      write(records);
      if (file!.bytes + bytes.length > parts.limitBytes / 2) {
        throw new Error(`a step does not fit below --spool-limit (${parts.limitBytes} bytes)`);
      }
    };
  }

  function snapshotWithinLimit(known: Map<string, number>): (records: RecordWriter) => void {
    return (records) => {
      parts.snapshot(records);
      while (bytes.length > snapshotBytesMax) {
        if (!parts.shed()) {
          throw new Error(`what waits takes more than ${snapshotBytesMax} bytes`);
        }
        hasShed = true;
        bytes.clear();
        known.clear();
        parts.snapshot(records);
      }
    };
  }

  function fail(error: unknown): void {
    const text = errorText(error);
    retryAtMs = nowMs() + retryMs;
    retryMs = Math.min(RETRY_MAX_MS, 2 * retryMs);
    if (failure?.error === text) return;
    failure = { error: text, sinceMs: failure?.sinceMs ?? nowMs() };
    parts.onVoid(generation);
    log(
      'error',
      `${folder} cannot be written: ${text}; counting goes on in memory, ` +
        'which a crash would lose. Free some space, or see to its rights',
    );
  }

  function sync(): Promise<void> {
    unsynced = 'nothing';
    syncedMs = nowMs();
    syncing = syncing.then(syncOnce);
    return syncing;
  }

  async function syncOnce(): Promise<void> {
    const current = file!;
    const old = superseded;
    superseded = [];
    try {
      await current.sync();
      if (old.length === 0) return;
      await syncFolder();
      for (const path of old) rmSync(path, { force: true });
    } catch (error) {
      superseded.push(...old);
      if (current === file) fail(error);
    }
  }

  async function syncFolder(): Promise<void> {
    const fd = openSync(folder, 'r');
    try {
      await fileSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}
