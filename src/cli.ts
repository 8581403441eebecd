import { Command, CommanderError, Option } from 'commander';

import { environmentName } from './options.ts';
import { OPTION_SPECS } from './option-specs.ts';
import { listen } from './cli/listen.ts';
import { fail, Usage } from './cli/report.ts';
import { get, send, sendSample, stats } from './cli/commands.ts';
import { StatcolError } from './errors.ts';
import { version } from './version.ts';

// The program. Here and in cli/ alone the environment is read, text is printed, and the process
// ends. Exit codes: 0 done; 1 it could not be done; 2 the command was wrong, nothing was done;
// 128 + n after a second signal n.

const program = new Command('statcol')
  .description('StatsD collector: exact counters in Redis, timings at an HTTP trap.')
  .version(version)
  .exitOverride()
  .configureOutput({ writeErr: () => {} });

const listenCommand = program
  .command('listen')
  .description('receive StatsD packets, write counters, push timings')
  .allowUnknownOption()
  .allowExcessArguments();
for (const spec of OPTION_SPECS) {
  // Read as optional, so that a missing value is one fault among the others; shown as required.
  const option = new Option(
    `${spec.flag} [${spec.argument}]`,
    `${spec.help} (default: ${spec.shownDefault}; ${environmentName(spec.flag)})`,
  );
  if (spec.list === true) {
    option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  }
  option.flags = `${spec.flag} <${spec.argument}>`;
  listenCommand.addOption(option);
}
listenCommand
  .addHelpText(
    'after',
    examples(
      'statcol listen --redis redis://127.0.0.1:6379 --trap https://broker:43191/module/httptrap/<uuid>/<secret>',
    ),
  )
  .action((flags: Record<string, unknown>, command: Command) =>
    listen(flags, command.args, process.env),
  );

const target = (command: Command): Command =>
  command
    .option('--host <address>', 'where the collector is', fromEnvironment('--host', '127.0.0.1'))
    .option('--port <n>', 'its UDP port', fromEnvironment('--port', '8125'));
const source = (command: Command): Command =>
  command
    .option('--redis <url>', 'read this Redis', fromEnvironment('--redis'))
    .option(
      '--http <url>',
      'read this collector',
      fromEnvironment('--http', 'http://127.0.0.1:8127'),
    )
    .option('--http-token <secret>', 'its token', fromEnvironment('--http-token'))
    .option('--collection <hash>', 'the hash', fromEnvironment('--collection'))
    .option(
      '--layout <flat|split>',
      'how names become fields',
      fromEnvironment('--layout', 'flat'),
    );

target(program.command('send'))
  .description('send StatsD lines as they are')
  .argument('<line...>', 'such as api.hits:1|c')
  .option('--tags <dialect>', 'that the collector reads too', fromEnvironment('--tags'))
  .addHelpText('after', examples("statcol send 'api.hits:1|c' 'api.latency:320|ms|@0.1'"))
  .action((lines: string[], flags) => send(lines, flags));
target(program.command('incr'))
  .description('count something')
  .argument('<name>', 'of the counter')
  .argument('[n]', 'how many', '1')
  .option('--rate <share>', 'it stands for 1/rate; it is sent in any case', '1')
  .addHelpText('after', examples('statcol incr deploys', 'statcol incr bytes 512'))
  .action((name: string, value: string, flags) => sendSample({ name, value, type: 'c' }, flags));
target(program.command('timing'))
  .description('report how long something took')
  .argument('<name>', 'of the timing')
  .argument('<ms>', 'milliseconds')
  .option('--rate <share>', 'it stands for 1/rate; it is sent in any case', '1')
  .addHelpText('after', examples('statcol timing backup 81250'))
  .action((name: string, value: string, flags) => sendSample({ name, value, type: 'ms' }, flags));
source(program.command('get'))
  .description(
    'print a counter, else a gauge, else the unique members today (UTC) of a set, of that name; ' +
      '0 if there is none',
  )
  .argument('<name>', 'of the counter, gauge or set')
  .addHelpText(
    'after',
    examples('statcol get api.hits', 'statcol get api.hits --redis redis://127.0.0.1:6379'),
  )
  .action(get);
source(program.command('stats'))
  .description('print all counters, gauges, and sets with their unique members today (UTC)')
  .option('--json', 'the counters alone, as /api/counters answers')
  .addHelpText('after', examples('statcol stats', 'statcol stats --json'))
  .action(stats);

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', () => {}); // the reader has gone: no reason to stop counting
}
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) usage(error);
  else if (error instanceof Usage) fail(2, error.faults);
  else if (error instanceof StatcolError) fail(1, [error.message]);
  else throw error;
}

/** What commander has to say: help and version are no errors, everything else is one line. */
function usage(error: CommanderError): void {
  if (error.exitCode === 0) return;
  if (error.code === 'commander.help') {
    fail(2, ['expected a command: listen, send, incr, timing, get or stats; see statcol --help']);
    return;
  }
  fail(2, [`${error.message.replace(/^error: /, '').replaceAll('\n', ' ')}; see statcol --help`]);
}

function fromEnvironment(flag: string, fallback?: string): string | undefined {
  return process.env[environmentName(flag)] || fallback;
}

function examples(...lines: string[]): string {
  return `\nExample:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
}
