import { printable } from '../flush/printable.ts';
import type { Log } from '../flush/health.ts';
import { otherTags } from '../ledger/tag-sets.ts';

/** So many names are told of. */
const NAMES_MAX = 1000;

/**
 * Returns what says once of each name that it has more sets of tags than it may have. The threads
 * tell of one name at most between two flips.
 */
export function createFoldedLog(tagSetsMax: number, log: Log): (name: string) => void {
  const said = new Set<string>();
  return (name) => {
    if (said.has(name) || said.size >= NAMES_MAX) return;
    said.add(name);
    const [bare, other] = [name, otherTags(name)].map((text) => printable(Buffer.from(text)));
    const limit = tagSetsMax.toLocaleString('en-US');
    const what = `${bare} has ${limit} sets of tags: further ones are counted as ${other}`;
    log('warn', `${what}; keep ids and times out of tags, or raise --tag-sets-per-name`);
  };
}
