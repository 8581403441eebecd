import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { errorText } from '../errors.ts';
import type { CounterBatch } from '../flush/counter-batch-types.ts';
import type { Log } from '../flush/health.ts';
import { partOf } from '../flush/lanes.ts';
import { asideName } from './recovery.ts';
import type { SentChunks } from './restore.ts';

/** A marker lives 7 days: what was sent longer ago than this may have been applied and forgotten. */
const SENT_LIMIT_MS = 6 * 24 * 3_600_000;

/** Whose chunks they are. */
export interface OldChunksParts {
  instance: string;
  batch: CounterBatch;
  sent: SentChunks;
  log: Log;
}

/**
 * Sets aside what was sent over 6 days ago and never answered, each chunk as a file, and counts it
 * as dropped: it may be in Redis already, and nobody remembers any more.
 */
export function setOldAside(folder: string, parts: OldChunksParts): void {
  const { instance, batch, sent, log } = parts;
  for (const { hash, seq, timeMs } of sent.all()) {
    if (Date.now() - timeMs <= SENT_LIMIT_MS) continue;
    sent.remove(hash, seq);
    const chunk = batch.chunks.find((one) => one.lane.hash === hash && one.seq === seq);
    if (chunk === undefined) continue;
    const when = new Date(timeMs).toISOString();
    const amounts = chunk.parts.map(partOf);
    const text = JSON.stringify({ hash, instance, seq, sent: when, amounts });
    const file = asideName(`chunk-${seq}.json`);
    const what = `a chunk of ${hash}, sent on ${when} and not answered, is too old to be sent again`;
    try {
      writeFileSync(join(folder, file), `${text}\n`, { mode: 0o600 });
      const advice =
        'if the hash has not got it, its amounts can be added by hand (HINCRBY; gauges: HSET)';
      log('error', `${what}: it is set aside as ${file}; ${advice}`);
    } catch (error) {
      log('error', `${what}, and cannot be set aside (${errorText(error)}): ${text}`);
    }
    batch.restore.dropped(hash, seq, 'too_old');
  }
}
