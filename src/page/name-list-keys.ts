/** What the keys of the list need. */
export interface ListKeyParts {
  /** How many rows are a page. */
  page: () => number;
  /** The index of the last row; -1 where there is none. */
  last: () => number;
  active: () => number;
  go: (to: number) => void;
  /** Shows the active row at large, alone or beside the others. */
  choose: (isBeside: boolean) => void;
}

/**
 * Lets a list be walked by keys, as a listbox is: arrows, Page Up and Down, Home and End go, Enter
 * shows a name alone, the space bar puts it beside the others or takes it away.
 */
export function attachListKeys(box: HTMLElement, parts: ListKeyParts): void {
  box.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { page, last, active, go, choose } = parts;
    const steps: Record<string, number> = {
      ArrowUp: -1,
      ArrowDown: 1,
      PageUp: -page(),
      PageDown: page(),
      Home: -Infinity,
      End: Infinity,
    };
    const step = steps[event.key];
    if (step !== undefined && last() >= 0) go(Math.max(0, Math.min(last(), active() + step)));
    else if (event.key === 'Enter') choose(event.shiftKey);
    else if (event.key === ' ') choose(true);
    else return;
    event.preventDefault();
  });
}
