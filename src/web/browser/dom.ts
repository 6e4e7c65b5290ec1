/** All elements are created by these functions. Text is always a text node: nothing here parses markup. */

export type Child = Node | string | number | null | undefined | false | readonly Child[];

type Listener = (event: never) => void;
type Attributes = Readonly<Record<string, string | number | boolean | null | undefined | Listener>>;

/** An element. `on…` are listeners (`onclick`), booleans set or leave out an attribute, null leaves it out. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  furnish(element, attributes, children);
  return element;
}

/** The same for SVG. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  furnish(element, attributes, children);
  return element;
}

function furnish(element: Element, attributes: Attributes, children: readonly Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else setAttribute(element, name, value);
  }
  append(element, children);
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child instanceof Node ? child : String(child));
  }
}

export function setAttribute(
  element: Element,
  name: string,
  value: string | number | boolean | null | undefined,
): void {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else {
    const text = value === true ? '' : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

/** Changes the document only if the text differs, so that nothing flickers and no selection is lost. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setChildren(element: Element, ...children: readonly Child[]): void {
  element.replaceChildren();
  append(element, children);
}

/** A part of the page that is created once and updated with each value. */
export interface Part<Value> {
  readonly element: HTMLElement;
  show(value: Value): void;
}

/** Keeps one child per key, in the order of the values; existing children are kept and updated with their value. */
export class KeyedList<Value> {
  readonly #parent: Element;
  readonly #create: (value: Value) => Part<Value>;
  readonly #key: (value: Value) => string;
  #parts = new Map<string, Part<Value>>();

  constructor(parent: Element, key: (value: Value) => string, create: (value: Value) => Part<Value>) {
    this.#parent = parent;
    this.#key = key;
    this.#create = create;
  }

  show(values: readonly Value[]): void {
    const parts = new Map<string, Part<Value>>();
    let place = this.#parent.firstElementChild;
    for (const value of values) {
      const key = this.#key(value);
      const part = this.#parts.get(key) ?? this.#create(value);
      part.show(value);
      parts.set(key, part);
      if (part.element === place) place = place.nextElementSibling;
      else this.#parent.insertBefore(part.element, place);
    }
    for (const [key, { element }] of this.#parts) if (!parts.has(key)) element.remove();
    this.#parts = parts;
  }
}

/** Calls `then` once typing or dragging has paused. */
export function debounce<Arguments extends unknown[]>(
  then: (...values: Arguments) => void,
  milliseconds = 300,
): (...values: Arguments) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => then(...values), milliseconds);
  };
}

let lastId = 0;
/** An id for a label and what it names. */
export function newId(): string {
  lastId += 1;
  return `id${lastId}`;
}
