import type { RejectReason } from '../protocol/reasons.ts';

// What to do about what is refused or lost; METRICS.md tells what each reason means.

const OF_REFUSALS: Readonly<Record<RejectReason, string>> = {
  no_separator: 'Lines are written name:value|type, such as api.hits:1|c; see what its sender is.',
  bad_name: 'Give the name a letter or digit, and no "|".',
  name_too_long: 'Names are 512 bytes long at most, tags not counted: shorten it.',
  bad_value: 'Send a plain decimal number, not negative for a timing.',
  bad_type: 'Send one of the types c, m, ms, h, d, g and s.',
  bad_rate: 'Send a rate above 0 and up to 1, once, such as |@0.1.',
  bad_tags:
    'Send up to 64 tags of up to 200 bytes each, once, none with an empty key or half a bracket.',
  key_limit: 'Keep what changes (ids, times) out of names, or raise --max-keys.',
  unsupported: 'Events and service checks are not counted by this version.',
};

const OF_LOSSES: Readonly<Record<string, string>> = {
  not_integer:
    'Their fields hold no integer: something else writes to the hash; delete these fields.',
  not_number: 'Their fields hold no number: something else writes to the hash; set them once.',
  overflow: 'Sums are 64-bit integers: send smaller amounts, or delete fields near the limit.',
  key_limit: OF_REFUSALS.key_limit,
  refused: 'Redis refused these fields alone; the log of the collector says why.',
  too_old: 'They were set aside in the state directory, as files: look at them there.',
  timing_log_full: 'Over 1,048,576 timings came between two drains: send a rate with them (|@0.1).',
  set_log_full: 'Over 4 MiB of members came between two drains: send fewer, or use --threads.',
  set_book_full: 'More members wait for Redis than there is room for: see that it runs.',
  sets_full: 'In memory there are 4,096 sets at most: use --redis, or fewer names.',
  wrong_type: 'Their keys hold no sets: rename or delete them, or choose another --collection.',
  spool_full: 'The trap was away for long: see to it, or start with a larger --spool-limit.',
  window_full:
    'More names are timed than the live window holds: keep ids out of names, or use --trap.',
};

/** Returns what to do about lines refused for a reason. */
export function refusalAdvice(reason: RejectReason): string {
  return OF_REFUSALS[reason];
}

/** Returns what to do about samples lost for a reason. */
export function lossAdvice(reason: string): string {
  if (reason.startsWith('trap_status_')) {
    return 'The trap refuses them for good: check the URL and the secret given with --trap.';
  }
  return Object.hasOwn(OF_LOSSES, reason)
    ? OF_LOSSES[reason]!
    : 'METRICS.md tells what the reason means.';
}
