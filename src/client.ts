import { createSender, type Sender } from './client-sender.ts';
import { formatLine, formatTags, safeName, type SampleType, type Tags } from './protocol/format.ts';
import { createLineBuffer } from './protocol/line-buffer.ts';

export type { Tags } from './protocol/format.ts';

/** What a client is made with; all of it may be left out. */
export interface ClientOptions {
  /** Where the collector is: a name or an address. Default `127.0.0.1`. */
  host?: string;
  /** Default 8125. */
  port?: number;
  /** Put before every name, as it is: `api.`. Default none. */
  prefix?: string;
  /** Tags of every metric; a call's own come on top. Default none. */
  tags?: Tags;
  /** Returns a number in [0, 1) that decides which samples of a rate are sent. */
  random?: () => number;
}

/** What a single call may say besides name and value. */
export interface SampleOptions {
  /** In (0, 1]: the share of calls that is sent; the collector counts each of them 1/rate times. */
  rate?: number;
  tags?: Tags;
}

/** The most that fits an Ethernet frame without being split. */
const DATAGRAM_BYTES_MAX = 1432;
/** How long lines wait for others to share their datagram. */
const BUFFER_MS = 20;
/** So many names are remembered as bytes; of a program that has more, none is for long. */
const NAMES_MAX = 10_000;

/** The clients that have something buffered: a program that comes to its natural end sends it. */
const buffering = new Set<Client>();
process.on('beforeExit', () => {
  for (const client of buffering) client.flush();
});

/**
 * Sends metrics to a StatsD collector and forgets them.
 *
 * No call throws or rejects because of the network, waits for it, or keeps the process alive. Lines
 * gather for up to 20 ms and leave in datagrams of at most 1,432 bytes; `close` sends the rest. The
 * host's name is looked up at most once a minute. A value that is no finite number, or a rate
 * outside (0, 1], is not sent and counts in {@link Client.dropped}.
 */
export class Client {
  readonly #sender: Sender;
  readonly #prefix: string;
  readonly #tags: Tags | undefined;
  readonly #random: () => number;
  readonly #lines = createLineBuffer(DATAGRAM_BYTES_MAX, (bytes) => Buffer.allocUnsafe(bytes));
  // What stands before a value, by name, and behind it, by type: bytes made once.
  readonly #heads = new Map<string, Uint8Array>();
  readonly #tails = new Map<SampleType, Uint8Array>();
  #timer: NodeJS.Timeout | undefined;
  #isBuffering = false;
  #closed = false;
  #closing: Promise<void> | undefined;
  #dropped = 0;

  /** @throws {TypeError} for an option that is none: this is a mistake in the program. */
  constructor(options: ClientOptions = {}) {
    const { host = '127.0.0.1', port = 8125, prefix = '', tags, random = Math.random } = options;
    if (typeof host !== 'string' || host === '') {
      throw new TypeError(
        `Expected \`host\` to be a name or an address, got ${JSON.stringify(host)}`,
      );
    }
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new TypeError(`Expected \`port\` to be a number from 1 to 65535, got ${String(port)}`);
    }
    this.#sender = createSender(host, port);
    this.#prefix = prefix;
    this.#tags = tags;
    this.#random = random;
  }

  /** How many samples were not sent: no numbers, too long for a datagram, or after `close`. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds to a counter. */
  incr(name: string, count = 1, options?: SampleOptions): void {
    this.#number(name, count, 'c', options);
  }

  /** Takes from a counter. */
  decr(name: string, count = 1, options?: SampleOptions): void {
    this.#number(name, -count, 'c', options);
  }

  /** Reports how long something took, in milliseconds. */
  timing(name: string, ms: number, options?: SampleOptions): void {
    this.#number(name, ms, 'ms', options);
  }

  /** Reports a value whose distribution matters, such as a size. */
  histogram(name: string, value: number, options?: SampleOptions): void {
    this.#number(name, value, 'h', options);
  }

  /** Sets a gauge. */
  gauge(name: string, value: number, options?: SampleOptions): void {
    // A sign makes a gauge relative: a negative value is set by way of 0, in one datagram.
    if (value < 0) this.#number(name, [0, value], 'g', options);
    else this.#number(name, value, 'g', options);
  }

  /** Adds a member to a set, whose distinct members are counted. */
  set(name: string, member: string | number, options?: SampleOptions): void {
    const text = String(member);
    if (text === '') this.#dropped++;
    else this.#sample(name, [text], 's', options);
  }

  /**
   * Calls `work`, reports how long it took, and returns what it returned. What is asynchronous is
   * timed to its end. It counts also when it throws or rejects, which is passed on.
   */
  timed<Result>(name: string, work: () => Result, options?: SampleOptions): Result {
    const startMs = performance.now();
    const done = (): void => this.timing(name, performance.now() - startMs, options);
    let result: Result;
    try {
      result = work();
    } catch (error) {
      done();
      throw error;
    }
    if (!isThenable(result)) {
      done();
      return result;
    }
    const ended = result.then(
      (value) => {
        done();
        return value;
      },
      (error: unknown) => {
        done();
        throw error;
      },
    );
    return ended as Result;
  }

  /** Sends what is buffered and closes; resolves when it has left. Never rejects. */
  close(): Promise<void> {
    return (this.#closing ??= this.#end());
  }

  async #end(): Promise<void> {
    this.flush();
    this.#closed = true;
    await this.#sender.close();
  }

  #number(
    name: string,
    value: number | number[],
    type: SampleType,
    options: SampleOptions | undefined,
  ): void {
    if (options === undefined && typeof value === 'number') return this.#plain(name, value, type);
    const values = Array.isArray(value) ? value : [value];
    if (!values.every((one) => Number.isFinite(one))) this.#dropped++;
    else this.#sample(name, values, type, options);
  }

  /** The common case, without rate and tags of its own: nothing is allocated for a known name. */
  #plain(name: string, value: number, type: SampleType): void {
    if (this.#closed || !Number.isFinite(value)) {
      this.#dropped++;
      return;
    }
    const head = this.#heads.get(name) ?? this.#headOf(name);
    const tail = this.#tails.get(type) ?? this.#tailOf(type);
    if (!this.#lines.append(head, value, tail)) {
      this.flush();
      if (!this.#lines.append(head, value, tail)) {
        this.#dropped++; // too long for any datagram
        return;
      }
    }
    this.#begin();
  }

  #headOf(name: string): Uint8Array {
    if (this.#heads.size >= NAMES_MAX) this.#heads.clear();
    const head = Buffer.from(`${safeName(this.#prefix + name)}:`);
    this.#heads.set(name, head);
    return head;
  }

  #tailOf(type: SampleType): Uint8Array {
    const tail = Buffer.from(`|${type}${this.#tags === undefined ? '' : formatTags(this.#tags)}`);
    this.#tails.set(type, tail);
    return tail;
  }

  #sample(
    name: string,
    values: (number | string)[],
    type: SampleType,
    options: SampleOptions | undefined,
  ): void {
    const rate = options?.rate ?? 1;
    if (!(rate > 0 && rate <= 1)) this.#dropped++;
    else if (rate === 1 || this.#random() < rate) {
      this.#send(values.map((one) => this.#line(name, one, type, options)));
    }
  }

  #line(
    name: string,
    value: number | string,
    type: SampleType,
    options: SampleOptions | undefined,
  ): string {
    const tags = this.#tags === undefined ? options?.tags : { ...this.#tags, ...options?.tags };
    return formatLine({ name: this.#prefix + name, value, type, rate: options?.rate, tags });
  }

  /** Buffers lines that belong into one datagram. */
  #send(lines: string[]): void {
    const text = lines.join('\n');
    const bytes = Buffer.byteLength(text);
    if (this.#closed || bytes > DATAGRAM_BYTES_MAX) {
      this.#dropped++;
      return;
    }
    if (!this.#lines.appendText(text, bytes)) {
      this.flush();
      this.#lines.appendText(text, bytes);
    }
    this.#begin();
  }

  /** Sees to it that what is buffered leaves before long. */
  #begin(): void {
    if (this.#isBuffering) return;
    this.#isBuffering = true;
    // One timer for all: it costs more to make than to start again.
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.flush(), BUFFER_MS).unref();
    else this.#timer.refresh();
    buffering.add(this);
  }

  /** Sends what is buffered, without waiting for more. */
  flush(): void {
    if (!this.#isBuffering) return;
    this.#isBuffering = false;
    buffering.delete(this);
    this.#sender.send(this.#lines.take());
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
