import * as readers from './option-readers.ts';
import { type OptionSpec, spec } from './option-spec.ts';

/** What lines come over beside UDP, and commands. */
export const TRANSPORT_SPECS: readonly OptionSpec[] = [
  spec({
    key: 'tcp',
    flag: '--tcp',
    argument: '[host:]port',
    fallback: 'off',
    shownDefault: 'off',
    help: 'StatsD over TCP too: lines ended by LF; port 0 takes a free one',
    expected: 'off, a port from 0 to 65535, or host:port like 127.0.0.1:8125 or [::1]:8125',
    read: readers.readListen,
  }),
  spec({
    key: 'unix',
    flag: '--unix',
    argument: 'path',
    fallback: 'off',
    shownDefault: 'off',
    help: 'StatsD over a unix datagram socket too; on Linux, needs koffi',
    expected: 'off, or a path of at most 107 bytes without control characters',
    read: readers.readUnix,
  }),
  spec({
    key: 'unixMode',
    flag: '--unix-mode',
    argument: 'mode',
    fallback: '0660',
    shownDefault: '0660',
    help: 'who may send there: rights of the socket file',
    expected: 'three octal digits, like 0660 or 666',
    read: readers.readMode,
    readValue: readers.modeOf,
  }),
  spec({
    key: 'admin',
    flag: '--admin',
    argument: '[host:]port',
    fallback: 'off',
    shownDefault: 'off',
    help: 'admin console over TCP, as statsd has one on 8126; port 0 takes a free one',
    expected: 'off, a port from 0 to 65535, or host:port like 127.0.0.1:8126 or [::1]:8126',
    read: readers.readListen,
  }),
];
