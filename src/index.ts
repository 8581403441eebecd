export {
  type Collector,
  type CollectorEvents,
  type CollectorOptions,
  createCollector,
  type Endpoints,
  type Undelivered,
} from './collector.ts';
export { ErrorCode, StatcolError } from './errors.ts';
export { Histogram, type HistogramBin, type HistogramBinName } from './histogram.ts';
export type { Fate, Vitals } from './vitals.ts';
