import { setTimeout as pause } from 'node:timers/promises';

import { seededRandom } from '../../test/support/random.ts';
import { openSender } from '../../test/support/udp.ts';

/** A steady stream of counters and timings under names that come and go. */
export interface Load {
  /** Datagrams given to the kernel so far; each has {@link LINES_PER_KIND} lines of each kind. */
  readonly datagrams: number;
  /** What was sent of each counter; every line says 1. */
  readonly sentBy: ReadonlyMap<string, number>;
  /** Sends no more; resolves when the last datagram is out. */
  stop(): Promise<void>;
}

/** Of counters, and as many of timings, in a datagram: so a lost one takes a known number along. */
export const LINES_PER_KIND = 20;
const DATAGRAMS_PER_SECOND = 500;
/** After the machine has held us up, what is due leaves in bursts that a receive buffer holds. */
const BURST_MAX = 20;
const TICK_MS = 5;

/** Names of each kind that stay, that begin each second, and for how long those are used. */
const STEADY = 100;
const NEW_A_SECOND = 25;
const LIFE_SECONDS = 5;

/**
 * What to give `--max-keys`. Idle names are forgotten when three quarters of it are taken: after
 * 220 s of the names above, and then every 150 s or sooner, not only after ten minutes. It must
 * hold what is taken then, all of it in use in that first period, and a minute of new names more.
 */
export const MAX_KEYS = 15_000;

/** What is sent, in words. */
export const LOAD_IN_WORDS: string =
  `${DATAGRAMS_PER_SECOND * LINES_PER_KIND * 2} lines/s, half of them timings; ` +
  `${2 * STEADY} names stay, ${2 * NEW_A_SECOND} begin each second and end ` +
  `${LIFE_SECONDS} s later`;

/** Begins to send to a port of this machine. */
export function startLoad(port: number): Load {
  const sender = openSender(port);
  const random = seededRandom(1);
  const names = Array.from({ length: STEADY }, (_, at) => `soak.steady.${at}.requests`);
  const sentBy = new Map<string, number>();
  const startMs = performance.now();
  let passing = 0;
  let secondsBegun = 0;
  let next = 0;
  let datagrams = 0;
  let isStopped = false;
  const done = run().finally(() => sender.close());
  done.catch(() => {}); // `stop` tells

  return {
    get datagrams() {
      return datagrams;
    },
    sentBy,
    async stop() {
      isStopped = true;
      await done;
    },
  };

  async function run(): Promise<void> {
    while (!isStopped) {
      const elapsedMs = performance.now() - startMs;
      if (elapsedMs >= 1000 * secondsBegun) changeNames();
      const due = Math.floor((elapsedMs / 1000) * DATAGRAMS_PER_SECOND) - datagrams;
      const count = Math.max(0, Math.min(due, BURST_MAX));
      await sender.send(...Array.from({ length: count }, datagram));
      datagrams += count;
      await pause(TICK_MS);
    }
  }

  function changeNames(): void {
    secondsBegun++;
    for (let count = 0; count < NEW_A_SECOND; count++) names.push(`soak.passing.${passing++}.hits`);
    const ended = names.length - STEADY - NEW_A_SECOND * LIFE_SECONDS;
    if (ended > 0) names.splice(STEADY, ended);
  }

  /** Each name has its turn, first as a counter, then as a timing of another name. */
  function datagram(): string {
    let text = '';
    for (let count = 0; count < LINES_PER_KIND; count++) {
      next = (next + 1) % names.length;
      const name = names[next]!;
      sentBy.set(name, (sentBy.get(name) ?? 0) + 1);
      text += `${name}:1|c\n${name}.time:${latencyMs()}|ms\n`;
    }
    return text;
  }

  /** Most take 5 to 60 ms, one in fifty up to two seconds. */
  function latencyMs(): string {
    const tail = random() < 0.02 ? 2000 * random() : 0;
    return (5 + 55 * random() ** 2 + tail).toFixed(1);
  }
}
