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
export type { Fate, Vitals } from './vitals.ts';
