export { createCollector } from './collector.ts';
export type {
  Collector,
  CollectorEvents,
  CollectorOptions,
  Endpoints,
  Undelivered,
} from './collector-types.ts';
export { ErrorCode, StatcolError } from './errors.ts';
export { Histogram, type HistogramBin, type HistogramBinName } from './histogram.ts';
export type {
  QueryCounterConfig,
  ResponseTimerConfig,
  StatCollectorOptions,
} from './middleware/configs.ts';
export { StatCollector } from './stat-collector.ts';
export { type AllStats, Stats, type StatsOptions } from './stats.ts';
export type { Account } from './in-process/account.ts';
export type { Fate, Vitals } from './vitals.ts';
