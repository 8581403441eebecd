import { jsonInteger, jsonNumber } from '../counters-json.ts';
import type { Log } from '../flush/health.ts';
import { jsonPieces } from '../http/json-pieces.ts';
import type { TimingSummary } from '../window/summary.ts';
import { deletedAnswer, ERROR, HELP, objectAnswer } from './answers.ts';
import type { Command } from './command.ts';
import { type CountedParts, readCounters, readGauges } from './counted-names.ts';
import type { Delete, DeletedKind } from './deleting.ts';

/** What the console answers: a text, or one that may be large and is made when it has its turn. */
export type Reply = string | Large;

/** A large answer: of all of them only few are made at once. */
export interface Large {
  /** Rejects where the store does not answer. */
  make: (isWanted: () => boolean) => Promise<Iterable<string>>;
}

/** What there is to say and to do. */
export interface CommandParts extends CountedParts {
  /** The answer to `stats`, of this moment. */
  stats: () => Promise<string>;
  /** The answer to `config`. */
  config: () => string;
  timings: () => Promise<Iterable<readonly [name: string, summary: TimingSummary]>>;
  /** Undefined where nothing may be deleted. */
  delete: Delete | undefined;
  nowMs: () => number;
  log: Log;
}

/** Who said `health down`, and when, on the collector's clock. */
export interface SaidDown {
  readonly peer: string;
  readonly sinceMs: number;
}

/** What the commands do. One state is common to all connections: whether somebody said it is down. */
export interface Commands {
  /**
   * Obeys a command; undefined: the connection is to be closed. Nothing in it throws; what is made
   * later may reject.
   *
   * @param peer who says so.
   */
  obey(command: Command, peer: string): Reply | Promise<Reply> | undefined;
  /** Who has said that the collector is not to get traffic; undefined while nobody has. */
  saidDown(): SaidDown | undefined;
}

const DELETIONS: ReadonlyMap<string, DeletedKind> = new Map([
  ['delcounters', 'counters'],
  ['deltimers', 'timers'],
  ['delgauges', 'gauges'],
]);

/** Creates the commands of a collector that is up. */
export function createCommands(parts: CommandParts): Commands {
  const { nowMs, log } = parts;
  let down: SaidDown | undefined;

  return {
    obey,
    saidDown: () => down,
  };

  function obey({ name, words }: Command, peer: string): Reply | Promise<Reply> | undefined {
    const deletion = DELETIONS.get(name);
    if (deletion !== undefined) return deleted(deletion, words);
    switch (name) {
      case 'help':
        return HELP;
      case 'health':
        return health(words[0]?.toLowerCase(), peer);
      case 'stats':
        return parts.stats();
      case 'counters':
        return {
          make: async (isWanted) => {
            return objectAnswer(jsonPieces(await readCounters(parts, isWanted), jsonInteger));
          },
        };
      case 'gauges':
        return {
          make: async () => objectAnswer(jsonPieces(await readGauges(parts), jsonNumber)),
        };
      case 'timers':
        return {
          make: async () => objectAnswer(jsonPieces(await parts.timings(), JSON.stringify)),
        };
      case 'config':
        return parts.config();
      case 'quit':
        return undefined;
      default:
        return ERROR;
    }
  }

  function health(wish: string | undefined, peer: string): string {
    if (wish === 'down' && down === undefined) {
      down = { peer, sinceMs: nowMs() };
      log('warn', `${peer} said "health down" at the admin console: /healthz answers 503`);
    } else if (wish === 'up' && down !== undefined) {
      down = undefined;
      log('info', `${peer} said "health up" at the admin console`);
    }
    return `health: ${down === undefined ? 'up' : 'down'}\n`;
  }

  function deleted(kind: DeletedKind, words: readonly string[]): Reply {
    const { delete: remove } = parts;
    if (remove === undefined) return ERROR;
    return { make: async () => deletedAnswer(await remove(kind, words)) };
  }
}
