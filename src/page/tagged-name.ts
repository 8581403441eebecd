import { element } from './dom.ts';
import { visible } from './format.ts';

/** A name as it is read: what it is without its tags, and these. */
export interface NameText {
  bare: string;
  /** `zone:eu`, or `canary` where it has no value. */
  tags: string[];
}

/**
 * Takes a name apart, as the collector writes names. What is of another form has no tags.
 *
 *     checkout.time;canary=;zone=eu   →   checkout.time   canary   zone:eu
 */
export function nameText(name: string): NameText {
  const [bare = '', ...pairs] = name.split(';');
  if (bare === '' || !pairs.every((pair) => pair.indexOf('=') > 0)) return { bare: name, tags: [] };
  return { bare, tags: pairs.map((pair) => pair.replace('=', ':').replace(/^([^:]+):$/, '$1')) };
}

/** What elements say now: most names stay from frame to frame. */
const said = new WeakMap<Element, string>();

/** Makes an element say a name, its tags as marks behind it. All of it is text. */
export function setName(target: Element, name: string): void {
  if (said.get(target) === name) return;
  said.set(target, name);
  const { bare, tags } = nameText(name);
  const marks = tags.flatMap((tag) => [' ', element('span', { class: 'tag' }, tag)]);
  target.replaceChildren(visible(bare), ...marks);
}
