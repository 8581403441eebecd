/**
 * Does work of many things, some at a time side by side. Rejects with what the first of them has
 * failed of, when those begun with it are over; no others are begun then.
 *
 * @param isWanted asked between two such groups: false ends it.
 */
export async function sideBySide<Item>(
  items: readonly Item[],
  { max, isWanted = () => true }: { max: number; isWanted?: () => boolean },
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length && isWanted(); at += max) {
    const over = await Promise.allSettled(items.slice(at, at + max).map(work));
    const failed = over.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
