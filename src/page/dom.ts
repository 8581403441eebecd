import { visible } from './format.ts';

/** What an element may be given: attributes, and what happens when it is used. */
export type Props = Record<
  string,
  string | number | boolean | undefined | ((event: never) => void)
>;

/** What may stand in an element. Text is only ever text, and turns none beside it. */
export type Child = Node | string;

/**
 * Returns a new element. `false` and `undefined` leave an attribute out, `true` sets it without a
 * value, a function listens to the event that it is named after.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  setProps(made, props);
  made.append(...children.map((child) => (typeof child === 'string' ? visible(child) : child)));
  return made;
}

/** Returns a new element of SVG; as {@link element}. */
export function drawing<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  setProps(made, props);
  made.append(...children);
  return made;
}

/** Returns the element of the page with an id. It is in index.html, or that is a defect. */
export function byId(id: string): HTMLElement;
/** The same, of a kind. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind;
/** Both. */
export function byId(id: string, kind = HTMLElement): HTMLElement {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

/** Sets text only where it differs: what is read aloud is not to be read twice. */
export function setText(target: Element, text: string): void {
  const shown = visible(text);
  if (target.textContent !== shown) target.textContent = shown;
}

/** Sets an attribute where it differs. */
export function setAttribute(target: Element, name: string, value: string): void {
  const shown = isRead(name) ? visible(value) : value;
  if (target.getAttribute(name) !== shown) target.setAttribute(name, shown);
}

/** What a list of terms says: a term, and a text or a number. */
export type Item = readonly [term: string, value: HTMLDataElement | string];

/** Makes a `dl` say items. Changes what differs, and leaves the rest: what is marked stays so. */
export function setItems(list: HTMLElement, items: readonly Item[]): void {
  while (list.children.length > items.length) list.lastElementChild?.remove();
  for (const [at, [term, value]] of items.entries()) {
    if (list.children[at] === undefined)
      list.append(element('div', {}, element('dt'), element('dd')));
    const [dt, dd] = list.children[at]!.children;
    setText(dt!, term);
    if (typeof value === 'string') setText(dd!, value);
    else if (!isSameDatum(dd!.firstElementChild, value)) dd!.replaceChildren(value);
  }
}

function isSameDatum(shown: Element | null, { value, textContent }: HTMLDataElement): boolean {
  return (
    shown instanceof HTMLDataElement && shown.value === value && shown.textContent === textContent
  );
}

/** Returns a number as it is meant and as it is shown: `<data value="320.25">320 ms</data>`. */
export function datum(value: number | string, text: string, props: Props = {}): HTMLDataElement {
  return element('data', { ...props, value: String(value) }, text);
}

function setProps(target: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') target.addEventListener(name, value as EventListener);
    else if (value === true) target.setAttribute(name, '');
    else if (value !== false && value !== undefined) setAttribute(target, name, String(value));
  }
}

/** Whether an attribute is text for who reads, and not for a program. */
function isRead(name: string): boolean {
  return name === 'title' || name === 'aria-label';
}
