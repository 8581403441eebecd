import type { Undelivered } from './collector-types.ts';
import { ErrorCode, errorText, StatcolError } from './errors.ts';
import type { Log } from './flush/health.ts';
import type { Account } from './in-process/account.ts';
import { bare } from './in-process/bare.ts';
import { answer, type Callback } from './in-process/callback.ts';
import { debug as sayAll, guarded, warn } from './in-process/say.ts';
import { readSettings } from './in-process/settings.ts';
import { createTiming, type Timing } from './in-process/timing.ts';
import * as configs from './middleware/configs.ts';
import { createKeys, type Keys } from './middleware/keys.ts';
import { createMiddleware, type Middleware } from './middleware/middleware.ts';
import { createQueryCounter, type QueryCounter } from './middleware/query-counter.ts';
import type { AllStats } from './stats.ts';

/** Whether a component says everything; shared with what logs for it. */
interface Voice {
  debug: boolean;
}

/**
 * Counts the requests and responses of a web application by URI, in Redis hashes, and pushes every
 * response time to an HTTP trap. Only what is configured acts.
 *
 *     foo_requestTotal   { '/users/:id': '2', total: '2' }      {"/users/:id":{"_type":"n",
 *     foo_responseTotal  { '/users/:id': '2', total: '2' }        "_value":[12,7]}}
 *     foo_success  foo_error  foo_fail  foo_aborted  foo_2xx …
 *
 * It does not keep the process alive; a program that comes to its natural end delivers what is left
 * before it exits. A program that is ended by a signal or `process.exit` calls `stop` first.
 */
export class StatCollector {
  readonly #settings: configs.StatCollectorSettings;
  readonly #keys: Keys;
  readonly #middleware: Middleware;
  readonly #voices: Voice[] = [];
  #debug: boolean;
  #queryCounter: QueryCounter | undefined;
  #responseTimer: Timing | undefined;
  #stopping: Promise<Undelivered> | undefined;

  /** @throws {StatcolError} `ERR_OPTIONS`, listing every fault. */
  constructor(options: configs.StatCollectorOptions = {}) {
    const settings = readSettings(
      configs.STAT_COLLECTOR,
      options,
    ) as unknown as configs.StatCollectorSettings;
    this.#settings = settings;
    this.#debug = settings.debug ?? false;
    this.#keys = createKeys(settings.maxKeys, {
      onNew: (uri) => this.#queryCounter?.register(uri),
      onFull: (why) => guarded(settings.onLog ?? warn)('warn', why),
    });
    this.#middleware = createMiddleware({
      keyRule: settings.key,
      keys: this.#keys,
      observer: {
        counted: (kind, uri) => this.#queryCounter?.counted(kind, uri),
        timed: (uri, ms) => this.#responseTimer?.add(this.#responseTimer.entry(uri), ms),
      },
      nowMs: () => performance.now(),
    });
    if (settings.queryCounter !== undefined) this.#count(settings.queryCounter);
    if (settings.responseTimer !== undefined) this.#time(settings.responseTimer);
  }

  /**
   * Begins to count requests and responses.
   *
   * @throws {StatcolError} `ERR_OPTIONS`, listing every fault; `ERR_STATE` if it was done before.
   */
  configureQueryCounter(config: configs.QueryCounterConfig): void {
    const settings = readSettings(configs.QUERY_COUNTER, config, 'queryCounter.');
    this.#count(settings as unknown as configs.QueryCounterSettings);
  }

  #count({ redisConfig, statPrefix, pushInterval, debug }: configs.QueryCounterSettings): void {
    this.#checkNew('queryCounter', this.#queryCounter);
    this.#queryCounter = createQueryCounter({
      store: redisConfig ?? { kind: 'memory' },
      statPrefix,
      pushIntervalMs: pushInterval,
      stopTimeoutMs: this.#settings.stopTimeout,
      log: this.#logOf(debug),
    });
    for (const uri of this.#keys.all()) this.#queryCounter.register(uri);
  }

  /**
   * Begins to push response times.
   *
   * @throws {StatcolError} `ERR_OPTIONS`, listing every fault; `ERR_STATE` if it was done before.
   */
  configureResponseTimer(config: configs.ResponseTimerConfig): void {
    const settings = readSettings(configs.RESPONSE_TIMER, config, 'responseTimer.');
    this.#time(settings as unknown as configs.ResponseTimerSettings);
  }

  #time({ circonusConfig, trapType, pushInterval, debug }: configs.ResponseTimerSettings): void {
    this.#checkNew('responseTimer', this.#responseTimer);
    this.#responseTimer = createTiming({
      ...circonusConfig,
      trapType,
      intervalMs: pushInterval,
      stopTimeoutMs: this.#settings.stopTimeout,
      log: this.#logOf(debug),
    });
  }

  /** Says everything on stderr, or no longer; for what is configured already, and what will be. */
  setDebug(debug: boolean): void {
    this.#debug = debug;
    for (const voice of this.#voices) voice.debug = debug;
  }

  /**
   * Gives a URI its fields, with 0, before it is first requested: a route's pattern, or a path
   * without query. It counts against `maxKeys`.
   */
  registerURI(uri: string): void {
    if (typeof uri !== 'string') throw new TypeError(`Expected a text as URI, got ${typeof uri}`);
    this.#keys.admit(uri, true);
  }

  /**
   * Returns the middleware: for Express 4 and 5, Connect, or a server of `node:http`. Always the
   * same; a request that passes it twice is counted once. Put it before the routes. It gives the
   * response `jsend(status, data)`.
   */
  readonly middleware: (...misused: never[]) => Middleware = (...misused) => {
    if (misused.length > 0) {
      throw new TypeError('Expected app.use(collector.middleware()), got it without the call');
    }
    return this.#middleware;
  };

  /**
   * Reads every hash as it has been written; nothing where requests are not counted.
   *
   * @throws {StatcolError} (rejects) `ERR_SOURCE` if Redis does not give them.
   */
  async getAll(): Promise<AllStats> {
    try {
      const hashes = (await this.#queryCounter?.read()) ?? [];
      return bare(hashes.map(([hash, fields]) => [hash, bare(fields)]));
    } catch (cause) {
      throw new StatcolError(ErrorCode.ERR_SOURCE, `no counts: ${errorText(cause)}`, { cause });
    }
  }

  /** Returns what has become of increments and of times, each undefined if not configured. */
  vitals(): { counters: Account | undefined; timings: Account | undefined } {
    return { counters: this.#queryCounter?.account(), timings: this.#responseTimer?.account() };
  }

  /**
   * Delivers what is left and closes; takes `stopTimeout` at most. Resolves with how much could not
   * be delivered: nothing, unless Redis or the trap is away. Stop the server first: what is
   * counted afterwards is dropped, and counted in `vitals()` as `stopped`.
   */
  stop(): Promise<Undelivered>;
  stop(callback: Callback<Undelivered>): void;
  stop(callback?: Callback<Undelivered>): Promise<Undelivered> | undefined {
    this.#stopping ??= this.#stop();
    return answer(this.#stopping, callback);
  }

  async #stop(): Promise<Undelivered> {
    const [counters = 0, timings = 0] = await Promise.all([
      this.#queryCounter?.stop(),
      this.#responseTimer?.stop(),
    ]);
    return { counters, timings };
  }

  #checkNew(what: string, component: unknown): void {
    if (component === undefined && this.#stopping === undefined) return;
    const why = component === undefined ? 'after stop()' : 'a second time';
    const message = `${what} cannot be configured ${why}: create another StatCollector`;
    throw new StatcolError(ErrorCode.ERR_STATE, message);
  }

  /** A component's own flag holds until `setDebug`. */
  #logOf(debug: boolean | undefined): Log {
    const voice: Voice = { debug: debug ?? this.#debug };
    this.#voices.push(voice);
    const { onLog } = this.#settings;
    if (onLog !== undefined) return guarded(onLog);
    return (level, message) => (voice.debug ? sayAll : warn)(level, message);
  }
}
