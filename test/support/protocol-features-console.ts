import type { FeatureGroup } from './protocol-feature.ts';

/** The rows of the admin console. */
export const CONSOLE_FEATURES: readonly FeatureGroup[] = [
  {
    title: 'the admin console (`--admin`)',
    features: [
      {
        what: '`help`',
        over: 'admin',
        flag: '--admin 0',
        sent: ['help\n'],
        becomes: {
          answer:
            'Commands: stats, counters, timers, gauges, delcounters, deltimers, delgauges, health, config, quit\n\n',
        },
      },
      {
        what: '`health`, as somebody has set it',
        over: 'admin',
        flag: '--admin 0',
        sent: ['health\nhealth down\nhealth\n', 'health up\n'],
        becomes: { answer: 'health: up\nhealth: down\nhealth: down\nhealth: up\n' },
      },
      {
        what: 'an empty line is passed over: statsd’s `check_statsd_health` sends one',
        over: 'admin',
        flag: '--admin 0',
        sent: ['health\n\n'],
        becomes: { answer: 'health: up\n' },
      },
      {
        what: '`counters`, `gauges`, `timers`: an object, as JSON',
        over: 'admin',
        flag: '--admin 0',
        given: 'seen:3|c',
        sent: ['counters\ngauges\n'],
        becomes: { counters: { seen: 3 }, answer: '{"seen":3}\nEND\n\n{}\nEND\n\n' },
      },
      {
        what: '`stats`: seconds, lines refused, and how the sinks do',
        over: 'admin',
        flag: '--admin 0',
        sent: ['stats\n'],
        becomes: {
          answer: {
            like: /^uptime: \d+\nmessages\.last_msg_seen: \d+\nmessages\.bad_lines_seen: 0\n(?:memory\.[a-z_]+: [\d.]+\n)+END\n\n$/,
            told: '`uptime: N␊messages.last_msg_seen: N␊messages.bad_lines_seen: 0␊`, `memory.last_flush: N␊` and others, `END␊␊`',
          },
        },
      },
      {
        what: '`config`: the options in force, secrets hidden',
        over: 'admin',
        flag: '--admin 0',
        sent: ['config\n'],
        becomes: {
          answer: {
            like: /^host: 127\.0\.0\.1\nport: \d+\n(?:[a-zA-Z]+: .*\n)+$/,
            told: '`host: 127.0.0.1␊port: N␊` and so on',
          },
        },
      },
      {
        what: '`delcounters`, `delgauges`, `deltimers`: names, or all that begin so (`.*`)',
        over: 'admin',
        flag: '--admin 0',
        given: 'gone.a:1|c\ngone.b:2|c\ngone:3|c',
        sent: ['delcounters gone.* none gone\n'],
        becomes: {
          answer: 'deleted: gone.a\ndeleted: gone.b\nmetric none not found\ndeleted: gone\nEND\n\n',
        },
      },
      {
        what: 'anything else; `quit` ends it',
        over: 'admin',
        flag: '--admin 0',
        sent: ['bogus\nquit\nhelp\n'],
        becomes: { answer: 'ERROR\n' },
      },
    ],
  },
];
