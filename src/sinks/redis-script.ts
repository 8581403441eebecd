import type { ChunkOutcome, FieldFault } from './store.ts';

/**
 * Adds a chunk to a hash exactly once.
 *
 *     KEYS[1] hash          ARGV[1] number of the chunk      ARGV[4…] field, amount, field, amount…
 *     KEYS[2] its marker    ARGV[2] marker's life, seconds            `-` no field, `+name` a field
 *                           ARGV[3] field of the sum, or ''          `=name` `~name` a gauge
 *
 * The marker holds the number of the last chunk that was dealt with, and the answer to it. A chunk
 * that is not newer is answered as it was, and changes nothing. Redis runs a script as one step,
 * and writes it to its append-only file as one, so there is no moment at which a part of a chunk
 * is there.
 *
 * A gauge is set to the amount (`=`) or changed by it (`~`), and is in no sum. The change is made
 * here with numbers and written as a plain decimal, with as few digits as read back the same:
 * HINCRBYFLOAT calculates with other numbers, and leaves their 17 digits.
 *
 * Answers the refused parts, such as ` 3n 17o`: part 3 met a value that is no integer, part 17
 * would have overflowed 64 bits, `4d` a gauge that holds no number. Behind these stands what gauges
 * have become that were changed, such as ` 5=12.5`; a chunk answered again does not tell that.
 *
 * Or ` w string`: the hash is no hash but a string. Then nothing was applied, and the number is
 * used up all the same: a copy of the request that comes late, when there is a hash again and its
 * parts have gone out under another number, must do nothing.
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
local faults, changed, failure, told = '', false, nil, {}
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
local function plain(value)
  if value == math.floor(value) and math.abs(value) < 1e15 then
    return string.format('%.0f', value)
  end
  local digits = math.abs(value) < 2.3e-308 and 0 or 14
  local text
  repeat
    text = string.format('%.' .. digits .. 'e', value)
    digits = digits + 1
  until tonumber(text) == value
  local sign, first, rest, exponent = string.match(text, '^(-?)(%d)%.?(%d*)e([-+]%d+)$')
  local all = string.match(first .. rest, '^(.-)0*$')
  local point = tonumber(exponent) + 1
  if point <= 0 then return sign .. '0.' .. string.rep('0', -point) .. all end
  if point >= #all then return sign .. all .. string.rep('0', point - #all) end
  return sign .. string.sub(all, 1, point) .. '.' .. string.sub(all, point + 1)
end
local function change(text, amount)
  text = text or '0'
  local value = string.find(text, '^[-+]?[%d.]+[eE]?[-+]?%d*$') and tonumber(text)
  if not value or math.abs(value) == math.huge then return nil, 'd' end
  local sum = value + tonumber(amount) + 0
  if math.abs(sum) == math.huge then return nil, 'o' end
  return plain(sum)
end
local function gauge(field, amount, isSet, index)
  local text, code = amount, nil
  if not isSet then text, code = change(redis.call('HGET', KEYS[1], field), amount) end
  local reply = text and redis.pcall('HSET', KEYS[1], field, text)
  if type(reply) == 'number' then
    changed = true
    if not isSet then told[#told + 1] = ' ' .. index .. '=' .. text end
  elseif text and not changed then
    failure = reply
  else
    faults = faults .. ' ' .. index .. (code or 'r')
  end
end
for at = 4, #ARGV, 2 do
  local index = (at - 4) / 2
  local sign = string.byte(ARGV[at])
  local isGauge = sign == 61 or sign == 126
  if isGauge then gauge(string.sub(ARGV[at], 2), ARGV[at + 1], sign == 61, index) end
  local written = not isGauge and (sign == 45 or add(string.sub(ARGV[at], 2), ARGV[at + 1], index))
  if failure then return failure end
  if written and ARGV[3] ~= '' then
    add(ARGV[3], ARGV[at + 1], index)
    if failure then return failure end
  end
end
redis.call('SET', KEYS[2], ARGV[1] .. faults, 'EX', ARGV[2])
return faults .. table.concat(told)
`;

/**
 * Adds members to HyperLogLogs, each of which may be forgotten at a time.
 *
 *     KEYS[n] key     ARGV[2n] seconds since 1970         ARGV[2 #KEYS + 2…] members, key by key,
 *                     ARGV[2n + 1] how many members                          a character per byte
 *     ARGV[1] `count`, or '' where nobody wants to know how many members there are
 *
 * A request is UTF-8, so a byte from 0x80 on comes as two: `c2` and itself, or `c3` and 64 less.
 *
 * Answers which keys are of another type, such as ` 0 3`, from 0; and behind these how many members
 * others have by then, such as ` 1=12`, if that is wanted and may be asked: some microseconds more.
 * Any other error is that of the whole: what was added before it is added again without harm.
 */
export const ADD_MEMBERS = `
local faults, told, at = '', {}, 2 * #KEYS + 1
for n, key in ipairs(KEYS) do
  local members = {}
  for index = 1, tonumber(ARGV[2 * n + 1]) do
    members[index] = string.gsub(ARGV[at + index], '([\\194\\195])([\\128-\\191])',
      function(first, second)
        return string.char(string.byte(second) + (first == '\\195' and 64 or 0))
      end)
  end
  at = at + #members
  local reply = redis.pcall('PFADD', key, unpack(members))
  if type(reply) == 'number' then
    redis.call('EXPIREAT', key, ARGV[2 * n])
    local unique = ARGV[1] ~= '' and redis.pcall('PFCOUNT', key)
    if type(unique) == 'number' then told[#told + 1] = ' ' .. n - 1 .. '=' .. unique end
  elseif string.find(reply.err, 'WRONGTYPE') or string.find(reply.err, 'INVALIDOBJ') then
    faults = faults .. ' ' .. n - 1
  else
    return reply
  end
end
return faults .. table.concat(told)
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
  for (const [, index, code] of reply.matchAll(/ (\d+)([nord])/g)) {
    faults.set(Number(index), FAULTS[code as keyof typeof FAULTS]);
  }
  return faults;
}

/** Reads what an answer tells of parts: what changed gauges stand at, how many members sets have. */
export function readTold(reply: string): [part: number, value: number][] {
  return Array.from(reply.matchAll(/ (\d+)=(\S+)/g), ([, part, value]) => {
    return [Number(part), Number(value)];
  });
}

const FAULTS = { n: 'not_integer', o: 'overflow', r: 'refused', d: 'not_number' } as const;
