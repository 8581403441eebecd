import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { type ChaosReport, runChaos } from './chaos-run.ts';

/** A mistake that can be planted in the program as it was built. */
export interface Plant {
  says: string;
  /** The one file that is changed, and the text in it. */
  file: string;
  find: string;
  replace: string;
  /** The kinds of faults that find it soonest. */
  only: readonly string[];
}

const KILLS = ['collector: kill -9', 'collector: kill -9 with samples in the ledger'];

/** What each mistake is, in the compiled program. */
export const PLANTS = {
  'zero-before-acknowledge': {
    says: "the ledger's side is cleared before what was in it is in the spool",
    file: 'dist/flush/remember-side.js',
    find: 'memory.drained(reader.ledgerId, mark, what);',
    replace: 'setTimeout(() => memory.drained(reader.ledgerId, mark, what), 25);',
    only: KILLS,
  },
  'new-number-on-retry': {
    says: 'a chunk that is sent again gets a new number',
    file: 'dist/flush/counter-batch.js',
    find: 'return { hash: lane.hash, seq, parts: chunkParts, total };',
    replace:
      'return { hash: lane.hash, seq: (chunks[0].seq = ++lane.seq), parts: chunkParts, total };',
    only: ['redis way: reply cut', 'redis: kill -9', 'redis: CLIENT KILL'],
  },
  'spool-removed-before-acknowledge': {
    says: 'the spool says "applied" before the store has answered',
    file: 'dist/flush/counter-flusher.js',
    find: 'batch.applied(await store.apply(chunk));',
    replace:
      'journal.applied(chunk.hash, chunk.seq, new Map()); batch.applied(await store.apply(chunk));',
    only: [
      ...KILLS,
      'redis: full',
      'redis: read-only',
      'redis way: request cut',
      'redis way: black hole',
    ],
  },
  'side-reused-before-drained': {
    says: 'the thread turns to a side again that is remembered, but not drained yet',
    file: 'dist/flush/drainer.js',
    find: 'await rememberSide(memory, reader, find);',
    replace: `{
                await rememberSide(memory, reader, find);
                for (let n = 0; n < 2; n++) {
                    await ingest.flip();
                    await setImmediate();
                }
            }`,
    only: KILLS,
  },
} satisfies Record<string, Plant>;
/** The name of a mistake. */
export type PlantName = keyof typeof PLANTS;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A text in a file of the program, and what is put in its place. */
type Edit = Pick<Plant, 'file' | 'find' | 'replace'>;

/**
 * No mistake: what a collector does every few minutes it does all the time. The spool is made anew
 * behind 16 KiB, and ledgers after a third of a second.
 */
const HASTY: readonly Edit[] = [
  {
    file: 'dist/state/spool.js',
    find: 'const SLACK_BYTES = 16 << 20;',
    replace: 'const SLACK_BYTES = 16 << 10;',
  },
  {
    file: 'dist/flush/drainer.js',
    find: 'const PERIOD_MS = 10 * 60_000;',
    replace: 'const PERIOD_MS = 333;',
  },
  {
    file: 'dist/flush/drainer.js',
    find: 'const PERIOD_MIN_MS = 60_000;',
    replace: 'const PERIOD_MIN_MS = 333;',
  },
];

/** A program of one's own. */
export interface EditedProgram {
  program: string;
  remove: () => void;
}

/** Copies the program as it was built, with a mistake in it, into a folder of its own. */
export function plant(name: PlantName): EditedProgram {
  return edited([PLANTS[name]]);
}

/** Copies the program as it was built, and makes it do often what it does seldom. */
export function hasty(): EditedProgram {
  return edited(HASTY);
}

function edited(edits: readonly Edit[]): EditedProgram {
  const folder = mkdtempSync(join(tmpdir(), 'statcol-plant-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    for (const part of ['dist', 'bin', 'package.json']) {
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    for (const edit of edits) apply(folder, edit);
  } catch (error) {
    remove();
    throw error;
  }
  return { program: join(folder, 'bin', 'statcol.js'), remove };
}

function apply(folder: string, { file, find, replace }: Edit): void {
  const text = readFileSync(join(folder, file), 'utf8');
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`${file} holds this ${times} times instead of once: ${find}`);
  // A function, so that no sign in the text means anything.
  writeFileSync(
    join(folder, file),
    text.replace(find, () => replace),
  );
}

/**
 * Runs the program with a mistake in it, for a short time, in the faults that find it; without one
 * in all of these faults, which must then find nothing.
 */
export async function runPlanted(
  name: PlantName | undefined,
  seed: number,
  seconds: number,
): Promise<ChaosReport> {
  const all = Object.values(PLANTS).flatMap((one) => one.only);
  const only = name === undefined ? all : PLANTS[name].only;
  const { program, remove } = name === undefined ? edited([]) : plant(name);
  const quick = { collectorPauses: [30, 300] as const, settleSeconds: 15 };
  try {
    return await runChaos({ seed, seconds, redis: 'single', waits: true, program, only, ...quick });
  } finally {
    remove();
  }
}
