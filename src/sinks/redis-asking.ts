import { errorText } from '../errors.ts';
import { within } from '../flush/time.ts';
import { createRedisLink, type RedisAddress, type RedisLink } from './redis-link.ts';
import type { RedisLinkOptions } from './redis-link.ts';
import { addressOf, type HostPort } from './redis-url.ts';

/** A server that says nothing for so long is not waited for alone: the next is asked beside it. */
const PATIENCE_MS = 300;

/** One that is asked, and how it is reached. */
export interface Asked {
  readonly place: HostPort;
  readonly address: RedisAddress;
}

/** Questions to several servers, each over a connection for this question alone. */
export interface Asking<Answer> {
  /**
   * Returns the first answer. Rejects if there is none, with what each of them failed of.
   *
   * @param whoFails stands in front of the error.
   */
  first(whoFails: string): Promise<Answer>;
  /** Gives up; `first` rejects. */
  close(): void;
}

/**
 * Asks servers, one after the other, for something that each of them should know.
 *
 * @param question is put over the link; what it rejects with counts as no answer.
 */
export function askServers<Answer>(
  servers: readonly Asked[],
  options: RedisLinkOptions,
  question: (link: RedisLink, place: HostPort) => Promise<Answer>,
): Asking<Answer> {
  const links = servers.map(({ address }) => {
    return createRedisLink({ ...options, address, onLost: () => {} });
  });
  const close = (): void => links.forEach((link) => link.close());
  return { first, close };

  async function first(whoFails: string): Promise<Answer> {
    const answers: Promise<Answer>[] = [];
    try {
      for (const [at, link] of links.entries()) {
        answers.push(question(link, servers[at]!.place));
        const any = Promise.any(answers);
        const came = within(options.time, PATIENCE_MS, any).catch(() => false);
        if (await came) return await any;
      }
      return await Promise.any(answers);
    } catch (error) {
      throw new Error(`${whoFails}: ${reasonsOf(error)}`, { cause: error });
    } finally {
      close();
    }
  }

  function reasonsOf(error: unknown): string {
    const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    const reasons = errors.map((one, at) => {
      const text = errorText(one);
      const where = addressOf(servers[at]!.place);
      return text.includes(where) ? text : `${where}: ${text}`;
    });
    return reasons.join('; ');
  }
}

/** Whether a server that did answer is not the one to ask, be it for now or from now on. */
export function isMisplaced(error: unknown): boolean {
  return MISPLACED.test(errorText(error));
}

/** Redis before 7 puts words in front of what a script's command has failed of. */
const MISPLACED =
  /^(?:ERR Error running script .*)?(?:READONLY|CLUSTERDOWN|MASTERDOWN|LOADING|UNBLOCKED|MOVED|ASK)\b/;
