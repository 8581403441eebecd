import type { ChunkOutcome, FieldFault } from './store.ts';

/**
 * Adds a chunk to a hash exactly once.
 *
 *     KEYS[1] hash          ARGV[1] number of the chunk      ARGV[4…] field, amount, field, amount…
 *     KEYS[2] its marker    ARGV[2] marker's life, seconds            `-` no field, `+name` a field
 *                           ARGV[3] field of the sum, or ''
 *
 * The marker holds the number of the last chunk that was dealt with, and the answer to it. A chunk
 * that is not newer is answered as it was, and changes nothing. Redis runs a script as one step,
 * and writes it to its append-only file as one, so there is no moment at which a part of a chunk
 * is there.
 *
 * Answers the refused parts, such as ` 3n 17o`: part 3 met a value that is no integer, part 17
 * would have overflowed 64 bits. Or ` w string`: the hash is no hash but a string. Then nothing was
 * applied, and the number is used up all the same: a copy of the request that comes late, when
 * there is a hash again and its parts have gone out under another number, must do nothing.
 *
 * A chunk that is answered again prolongs the marker's life, for the sake of WAIT alone: it waits
 * for what its own connection has written, and replicas that have this have all before it too.
 *
 * An error of the whole command (OOM, READONLY, MISCONF…) comes with the first write, before
 * anything was changed, and is passed on.
 */
export const APPLY_CHUNK = `
local mark = redis.call('GET', KEYS[2])
if mark then
  local applied, faults = string.match(mark, '^(%d+)(.*)$')
  if tonumber(applied) >= tonumber(ARGV[1]) then
    redis.call('EXPIRE', KEYS[2], ARGV[2])
    return faults
  end
end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then
  redis.call('SET', KEYS[2], ARGV[1] .. ' w ' .. kind, 'EX', ARGV[2])
  return ' w ' .. kind
end
local faults, changed, failure = '', false, nil
local function add(field, amount, index)
  local reply = redis.pcall('HINCRBY', KEYS[1], field, amount)
  if type(reply) == 'number' then
    changed = true
    return true
  end
  local text = type(reply) == 'table' and reply.err or 'no answer'
  local code = string.find(text, 'not an integer') and 'n' or string.find(text, 'overflow') and 'o'
  if not code and not changed then
    failure = reply
  else
    faults = faults .. ' ' .. index .. (code or 'r')
  end
  return false
end
for at = 4, #ARGV, 2 do
  local index = (at - 4) / 2
  local sign = string.byte(ARGV[at])
  local written = sign == 45 or add(string.sub(ARGV[at], 2), ARGV[at + 1], index)
  if failure then return failure end
  if written and ARGV[3] ~= '' then
    add(ARGV[3], ARGV[at + 1], index)
    if failure then return failure end
  end
end
redis.call('SET', KEYS[2], ARGV[1] .. faults, 'EX', ARGV[2])
return faults
`;

/**
 * Returns the name of a hash's marker, which falls into the hash's cluster slot: the hash is made
 * the tag, or has one of its own.
 */
export function markerKey(hash: string, instance: string): string {
  return hasTag(hash) ? `${hash}:applied:${instance}` : `{${hash}}:applied:${instance}`;
}

/**
 * Returns whether a key has a tag that alone decides its cluster slot: something between its first
 * `{` and the first `}` behind it.
 */
export function hasTag(key: string): boolean {
  const open = key.indexOf('{');
  return open >= 0 && key.indexOf('}', open) > open + 1;
}

/** Returns what a key holds that is no hash, where {@link APPLY_CHUNK} answers so. */
export function readWrongType(reply: string): string | undefined {
  return /^ w (.+)$/.exec(reply)?.[1];
}

/** Reads which parts were refused, where {@link APPLY_CHUNK} has applied the others. */
export function readFaults(reply: string): ChunkOutcome {
  const faults = new Map<number, FieldFault>();
  for (const [, index, code] of reply.matchAll(/ (\d+)([nor])/g)) {
    faults.set(Number(index), FAULTS[code as keyof typeof FAULTS]);
  }
  return faults;
}

const FAULTS = { n: 'not_integer', o: 'overflow', r: 'refused' } as const;
