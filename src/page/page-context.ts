import type { ValueRange } from './scale.ts';
import type { DataStore } from './store.ts';
import type { Theme } from './theme.ts';
import type { Range, Shown, View } from './view.ts';

/** Of which time what comes is known. */
export interface Known {
  /** How many seconds are one column wide. */
  span: number;
  /** Seconds without a point or a sample are of nothing from the first of these to before the second. */
  completeFrom: number;
  knownTo: number;
  /** Parts of it that are not known after all. */
  gaps: readonly Range[];
}

/** What the parts of the page may ask for and do. */
export interface PageContext {
  readonly data: DataStore;
  view(): View;
  /** What part of time is shown. */
  range(): Range;
  /** How many seconds are one column wide. */
  cellSpan(): number;
  /** Whether the last five minutes are shown, and time runs. */
  isNow(): boolean;
  /** Between which values timings are shown: the same in all panels. */
  values(): ValueRange;
  theme(): Theme;
  /** What is known of one, and how wide columns are. */
  known(one: Shown): Known;
  /** What counters are written to, such as `Redis`. */
  storeName(): string;
  /** Whether what counters are written to does not answer. */
  isStoreAway(): boolean;
  /** Says something in passing. */
  notice(text: string): void;
  /** Changes the view, the address with it, and all that follows from it. */
  change(patch: Partial<View>): void;
  /** Looks at a part of time closely; time stands still meanwhile. Undefined ends that. */
  brush(range: Range | undefined): void;
  /** Moves the cursor of all panels to a second, on behalf of one that has it; undefined: off. */
  point(second: number | undefined, by: Panel): void;
}

/** Something that is shown at large. */
export interface Panel {
  readonly shown: Shown;
  readonly root: HTMLElement;
  /** Draws what is known now. */
  update(): void;
  /** Shows where the cursor of another panel is. */
  point(second: number | undefined): void;
  close(): void;
}
