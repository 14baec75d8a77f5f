// What a page has of its document, as much as views need to be made and to be looked into.

export class HTMLElement extends EventTarget {
  nodes = []; // elements and texts
  attributes = {};
  style = { setProperty() {} };
  dataset = {};
  hidden = false;
  disabled = false;
  parentElement = null;

  constructor(tag) {
    super();
    this.tag = tag;
    const classes = new Set();
    this.classList = {
      add: (...names) => names.forEach((name) => classes.add(name)),
      toggle() {},
      contains: (name) => classes.has(name),
    };
    if (tag === "button") this.type = "submit";
  }

  get children() {
    return this.nodes.filter((node) => node instanceof HTMLElement);
  }

  get firstChild() {
    return this.nodes[0] ?? null;
  }

  get lastChild() {
    return this.nodes.at(-1) ?? null;
  }

  get textContent() {
    return this.nodes.map((node) => node.textContent ?? node).join("");
  }

  set textContent(text) {
    this.replaceChildren(String(text));
  }

  /** Of a select: the chosen option's, else the first one's. */
  get value() {
    if (this.tag !== "select") return this.attributes.value ?? "";
    return (this.nodes.find(({ selected }) => selected) ?? this.nodes[0])?.value ?? "";
  }

  set value(value) {
    this.attributes.value = String(value);
  }

  append(...nodes) {
    for (const node of nodes) if (node instanceof HTMLElement) node.parentElement = this;
    this.nodes.push(...nodes);
  }

  replaceChildren(...nodes) {
    this.nodes = [];
    this.append(...nodes);
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  remove() {
    const { parentElement: parent } = this;
    parent.nodes = parent.nodes.filter((node) => node !== this);
  }

  contains(element) {
    for (let each = element; each; each = each.parentElement) if (each === this) return true;
    return false;
  }

  /** The first of a tag; whatever else is asked for is not found. */
  querySelector(selector) {
    return this.all(({ tag }) => tag === selector)[0] ?? null;
  }

  /** A pen that draws nothing. */
  getContext() {
    return new Proxy({}, { get: () => () => {}, set: () => true });
  }

  getAnimations() {
    return [];
  }

  focus() {
    document.activeElement = this;
  }

  /** All elements in it that a test wants. */
  all(wanted) {
    return this.children.flatMap((each) => [...(wanted(each) ? [each] : []), ...each.all(wanted)]);
  }

  /** The button with this text. */
  button(text) {
    const [found] = this.all((each) => each.tag === "button" && each.textContent === text);
    return found;
  }

  press() {
    this.dispatchEvent(new Event("click"));
  }
}

function storage() {
  const kept = {};
  return {
    getItem: (key) => kept[key] ?? null,
    setItem: (key, value) => (kept[key] = value),
    removeItem: (key) => delete kept[key],
  };
}

/** Have a document of one's own, with nothing in it and nothing kept, and an address. */
export function begin(hash = "") {
  const body = new HTMLElement("body");
  Object.assign(globalThis, {
    HTMLElement,
    Option: class extends HTMLElement {
      constructor(text, value, _default, selected) {
        super("option");
        Object.assign(this, { selected });
        [this.textContent, this.value] = [text, value];
      }
    },
    document: {
      body,
      activeElement: body,
      querySelector: () => body,
      createElement: (tag) => new HTMLElement(tag),
      createElementNS: (_space, tag) => new HTMLElement(tag),
    },
    location: { hash },
    localStorage: storage(),
    sessionStorage: storage(),
    getComputedStyle: () => ({ color: "" }),
    matchMedia: () => Object.assign(new EventTarget(), { matches: true }),
    ResizeObserver: class {
      observe() {}
    },
    SpeechSynthesisUtterance: class {
      constructor(text) {
        this.text = text;
      }
    },
  });
}
