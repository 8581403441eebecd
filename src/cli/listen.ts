import { readFileSync } from 'node:fs';
import { constants, hostname } from 'node:os';

import { assembleCollector } from '../collector.ts';
import type { Collector } from '../collector-types.ts';
import { ErrorCode, errorText, StatcolError } from '../errors.ts';
import type { Log } from '../flush/health.ts';
import { environmentName, type Given, readOptions } from '../options.ts';
import { OPTION_SPECS } from '../option-specs.ts';
import { LOG_LEVELS, type LogLevel, type Options } from '../option-types.ts';
import { fail, say, Usage } from './report.ts';

/**
 * Runs a collector until a signal ends it: the command `statcol listen`.
 *
 * @param flags by option key, as commander read them; `true` stands for a missing value.
 * @param rest what was on the command line besides: unknown flags and stray words.
 */
export async function listen(
  flags: Record<string, unknown>,
  rest: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const options = readSettings(flags, rest, environment);
  const log = createLog(options.logLevel);
  let fatal: ((error: Error) => void) | undefined;
  const collector = assembleCollector(options, {
    onLog: log,
    onFatal: (error) => fatal?.(error),
  });
  const ending = endOf(collector, log);
  fatal = ending.fatal;
  const { udp, tcp, unix, admin, http } = await collector.start().catch((error: unknown) => {
    const isUsage = error instanceof StatcolError && error.code === ErrorCode.ERR_OPTIONS;
    throw isUsage ? new Usage(error.faults) : error;
  });
  if (ending.hasBegun()) return;
  process.stdout.write(
    [udp, tcp, unix, admin, http].filter((line) => line !== undefined).join('\n') + '\n',
  );
  warnIfVain(options, log);
}

function readSettings(
  flags: Record<string, unknown>,
  rest: readonly string[],
  environment: NodeJS.ProcessEnv,
): Options {
  const given: Record<string, Given> = {};
  for (const { key, flag, list } of OPTION_SPECS) {
    const variable = environmentName(flag);
    const text = environment[variable];
    if (flags[key] !== undefined) given[key] = { value: flags[key], from: flag };
    else if (text !== undefined && text !== '') {
      given[key] = { value: list === true ? text.split(',') : text, from: variable };
    }
  }
  const faults = strayFaults(rest);
  const readText = (path: string): string => readFileSync(path, 'utf8');
  try {
    const options = readOptions(given, { hostName: hostname(), pid: process.pid, readText });
    if (faults.length > 0) throw new Usage(faults);
    return options;
  } catch (error) {
    if (error instanceof StatcolError) throw new Usage([...faults, ...error.faults]);
    throw error;
  }
}

/** An unknown flag and the value behind it are one fault. */
function strayFaults(rest: readonly string[]): string[] {
  const faults: string[] = [];
  for (const [at, word] of rest.entries()) {
    const [flag = ''] = word.split('=', 1);
    if (word.startsWith('-')) {
      faults.push(`${flag}: expected a known flag (see statcol listen --help), got an unknown one`);
    } else if (rest[at - 1]?.startsWith('-') !== true) {
      faults.push(`${JSON.stringify(word)}: expected flags only, got a stray word`);
    }
  }
  return faults;
}

/**
 * Sees to the end: a signal or an error that nobody caught delivers what was accepted; a second
 * signal ends the process at once, with 128 and its number.
 */
function endOf(
  collector: Collector,
  log: Log,
): { fatal: (error: Error) => void; hasBegun: () => boolean } {
  let begun = false;

  const end = async (exitCode: number): Promise<void> => {
    begun = true;
    let code = exitCode;
    try {
      const { counters, timings, gauges = 0, sets = 0, keptIn } = await collector.stop();
      const ofGauges = gauges > 0 ? `, ${gauges} gauge samples` : '';
      const ofSets = sets > 0 ? `, ${sets} set samples` : '';
      const what = `${counters} counter samples, ${timings} timings${ofGauges}${ofSets}`;
      const left = counters + gauges + sets + timings;
      if (left > 0 && keptIn !== undefined) {
        say(`kept in ${keptIn} for the next start: ${what}`);
      } else if (left > 0) {
        fail(1, [`not delivered: ${what}`]);
        code = 1;
      }
    } catch (error) {
      fail(1, [`the last flush failed: ${errorText(error)}`]);
      code = 1;
    }
    process.exit(code);
  };
  const fatal = (error: unknown): void => {
    log('error', `${errorText(error)}; delivering what was accepted, then ending`);
    if (!begun) void end(1);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (begun) process.exit(128 + constants.signals[signal]);
      log('info', `${signal}: delivering what was accepted`);
      void end(0);
    });
  }
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
  return { fatal, hasBegun: () => begun };
}

function createLog(level: LogLevel): Log {
  const most = LOG_LEVELS.indexOf(level);
  return (of, message) => {
    if (LOG_LEVELS.indexOf(of) > most) return;
    process.stderr.write(`${new Date().toISOString()} ${of} ${message}\n`);
  };
}

function warnIfVain(options: Options, log: Log): void {
  const { http, trapSecret } = options;
  if (options.redisWait > 0 && options.redis === undefined) {
    log('warn', '--redis-wait does nothing without --redis: there are no replicas');
  }
  if (http === null && trapSecret !== undefined) {
    log('warn', '--trap-secret does nothing with --http off: submissions come over HTTP');
  }
  if (options.unix === null && options.unixMode !== 0o660) {
    log('warn', '--unix-mode does nothing without --unix: there is no socket to give rights for');
  }
}
