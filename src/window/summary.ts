// Types only: the page reads them too.

/** What the window tells of one name. Values are milliseconds. */
export interface TimingSummary {
  /** Rounded sum of the samples' weights. */
  count: number;
  /** Exact, as all but the percentiles. */
  min: number;
  max: number;
  /** Weighted. */
  mean: number;
  /** The middle of a histogram's bin: off by 5 % at most. Never outside `min` and `max`. */
  p50: number;
  p90: number;
  p99: number;
}

/** How the window keeps to its memory. */
export interface WindowUsage {
  /** How many names there are, of 131,072. */
  names: number;
  /** What the columns take, but for about one of each name. */
  bytes: number;
  /** Columns of a second that were merged into columns of 30. */
  columnsMerged: number;
  /** Columns that had to go before their time. */
  columnsDropped: number;
}
