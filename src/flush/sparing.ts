/**
 * Returns whether something of a kind may be said now: at most once in `everyMs`. Kinds are few and
 * known, since each is remembered.
 */
export function createSparing(nowMs: () => number, everyMs: number): (kind: string) => boolean {
  const saidMs = new Map<string, number>();
  return (kind) => {
    const now = nowMs();
    if (now - (saidMs.get(kind) ?? -Infinity) < everyMs) return false;
    saidMs.set(kind, now);
    return true;
  };
}
