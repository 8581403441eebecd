/** Returns the value below which a share of all lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))]!;
}

/** Returns the middle value. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Returns milliseconds as texts. */
export function show(values: readonly number[]): string {
  return values.map((value) => value.toFixed(1)).join(' ');
}
