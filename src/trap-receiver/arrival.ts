import type { IncomingMessage } from 'node:http';
import { createGunzip, type Gunzip } from 'node:zlib';

/** How the arrival of a body ended. */
export type Outcome =
  /** All of it is there. */
  | 'whole'
  /** `onBytes` wanted no more. */
  | 'enough'
  /** The connection was lost before the end. */
  | 'cut'
  /** Longer than a body may be. */
  | 'tooLarge'
  /** All bodies that are arriving are larger together than they may be. */
  | 'crowded'
  /** Too long without a byte, or without the end. */
  | 'slow'
  /** Not the gzip that it should be. */
  | 'unreadable';

/** Bounds on bodies. */
export interface ArrivalLimits {
  /** A body, after gunzip; as it is sent, it may not be longer either. */
  bodyBytes: number;
  /** All that arrive at once, after gunzip. */
  allBytes: number;
  /** From the head to the last byte. */
  arrivalMs: number;
  /** From one byte to the next. */
  silenceMs: number;
}

/** A number of bytes that is shared out. */
export interface Budget {
  /** Returns whether there was so much left, and takes it. */
  take(bytes: number): boolean;
  giveBack(bytes: number): void;
}

/** Creates a budget of so many bytes. */
export function createBudget(bytesMax: number): Budget {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > bytesMax) return false;
      taken += bytes;
      return true;
    },
    giveBack(bytes) {
      taken -= bytes;
    },
  };
}

/** What is to be received, and how. */
export interface Arrival {
  request: IncomingMessage;
  isGzip: boolean;
  limits: ArrivalLimits;
  /** Returns whether so many further bytes of the body may be taken in. */
  admit: (bytes: number) => boolean;
  /** Takes a piece of the body; returns whether more is wanted. */
  onBytes: (bytes: Buffer) => boolean;
}

/**
 * Receives a body, piece by piece, and resolves with how that ended; rejects with what `onBytes`
 * threw. The request is left as it is then: flowing, with nobody listening, or at its end.
 */
export function receive({ request, isGzip, limits, admit, onBytes }: Arrival): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const gunzip: Gunzip | undefined = isGzip ? createGunzip() : undefined;
    const source = gunzip ?? request;
    let sentBytes = 0;
    let bodyBytes = 0;
    // Listeners that were taken off within an event are still called for it.
    let settled = false;
    const late = setTimeout(() => settle('slow'), limits.arrivalMs);
    const silent = setTimeout(() => settle('slow'), limits.silenceMs);

    request.on('data', onSent).on('close', onClose).on('error', onClose);
    source.on('data', onBody).on('end', onEnd);
    gunzip?.on('error', () => settle('unreadable'));
    if (gunzip !== undefined) request.pipe(gunzip);

    function onSent(chunk: Buffer): void {
      if (settled) return;
      silent.refresh();
      sentBytes += chunk.length;
      // Of empty parts in gzip there can be any number.
      if (sentBytes > limits.bodyBytes) settle('tooLarge');
    }

    function onBody(chunk: Buffer): void {
      if (settled) return;
      bodyBytes += chunk.length;
      if (bodyBytes > limits.bodyBytes) return settle('tooLarge');
      if (!admit(chunk.length)) return settle('crowded');
      try {
        if (!onBytes(chunk)) settle('enough');
      } catch (error) {
        cleanUp();
        reject(error);
      }
    }

    function onEnd(): void {
      settle(request.complete ? 'whole' : 'cut');
    }

    function onClose(): void {
      // A request that has ended closes too, perhaps before all of it is unpacked.
      if (!request.readableEnded) settle('cut');
    }

    function settle(outcome: Outcome): void {
      cleanUp();
      resolve(outcome);
    }

    function cleanUp(): void {
      settled = true;
      clearTimeout(late);
      clearTimeout(silent);
      request.off('data', onSent).off('close', onClose).off('error', onClose);
      source.off('data', onBody).off('end', onEnd);
      if (gunzip === undefined) return;
      request.unpipe(gunzip);
      gunzip.on('error', () => {});
      gunzip.destroy();
    }
  });
}
