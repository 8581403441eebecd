import type { LayoutName } from './flush/layout.ts';
import type { TrapType } from './flush/timing-book.ts';
import type { ReceiverChoice } from './ingest/receiver.ts';
import type { TagDialect } from './protocol/dialects.ts';
import type { NameRule } from './protocol/names.ts';

/** How much is logged: each level says what those before it do. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything a collector is set up with, complete and checked. Times are milliseconds. */
export interface Options {
  readonly host: string;
  readonly port: number;
  /** Null: off. */
  readonly tcp: { readonly host: string; readonly port: number } | null;
  /** Null: off. */
  readonly unix: string | null;
  readonly unixMode: number;
  /** Null: off. */
  readonly admin: { readonly host: string; readonly port: number } | null;
  /** Undefined: the memory store. */
  readonly redis: string | undefined;
  readonly redisWait: number;
  readonly collection: readonly string[];
  readonly layout: LayoutName;
  readonly counterInterval: number;
  /** Undefined: timings go to the live window alone. */
  readonly trap: string | undefined;
  readonly trapType: TrapType;
  /** The text of the PEM file. */
  readonly trapCa: string | undefined;
  readonly trapServername: string | undefined;
  readonly timingInterval: number;
  /** Null: off. */
  readonly http: { readonly host: string; readonly port: number } | null;
  readonly httpToken: string | undefined;
  /** Undefined: no submissions are taken. */
  readonly trapSecret: string | undefined;
  readonly names: NameRule;
  /** Undefined: DogStatsD's and Graphite's alone. */
  readonly tags: TagDialect | undefined;
  readonly tagSetsPerName: number;
  readonly maxKeys: number;
  readonly threads: number;
  readonly receiver: ReceiverChoice;
  /** Undefined: what is on its way dies with the process. */
  readonly stateDir: string | undefined;
  readonly spoolLimit: number;
  readonly stopTimeout: number;
  readonly instance: string;
  readonly logLevel: LogLevel;
}
