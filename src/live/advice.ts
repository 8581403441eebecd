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
  overflow:
    'Counters are 64-bit integers, gauges doubles: send less, or delete what is near the limit.',
  key_limit: OF_REFUSALS.key_limit,
  refused: 'Redis refused these fields alone; the log of the collector says why.',
  too_old: 'They were set aside in the state directory, as files: look at them there.',
  timing_log_full: 'Over 1,048,576 timings came between two drains: send a rate with them (|@0.1).',
  spool_full:
    'Trap or Redis were away for long: see to them, or start with a larger --spool-limit.',
  not_number:
    'Their gauges hold no number: something else writes to the hash; set them, or delete these fields.',
  wrong_type:
    'Keys of these sets hold something else: delete them, or rename the sets; the log has the names.',
  sets_full: 'Sets in memory take over 64 MiB: use --redis, or fewer names with sets.',
  set_book_full: 'A million members of sets wait for Redis, or 16 MiB of them: see to it.',
  set_log_full: 'More members of sets came between two drains than 4 MiB hold: send fewer.',
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
