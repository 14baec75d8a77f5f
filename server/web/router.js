// The views: which one is looked at, and which go on meanwhile.
//
// A view is a module `views/NAME.js`, with a style before it: app.css has Train's, `views/all_but_train.css` all others':
//
//     export function mount(root, app) { …; return { unmount, … }; }
//
// `root` is an empty element of its own in <main>; `mount` may be async. What it returns has
//
//     unmount()      stops what the view began: streams, timers, listeners outside of `root`
//     goesOn()       whether it is to go on unseen while another view is looked at, and not end; such
//                    a view is found again as it was
//     speak()        its texts in the language that is chosen now; a view without it is mounted anew
//     suspend()      the page goes away, maybe for a reload only; without it, `unmount`
//     usesCamera()   whether it has the camera open
//
// of which all but the first may be missing. `app` is app.js's, but for the notice, what is announced
// and the badge: an unseen view's wait until it is looked at.

import { el, loadStyle } from "./dom.js";

// Which view went on when the page was left, for this tab.
const WENT_ON = "kinecast.went_on";

export class Router {
  /** The name of the view that is looked at. */
  shown = null;

  #app;
  #main;
  #views = new Map(); // by name: {root, view: what `mount` returned, own: what waits}
  #turn = 0;

  /**
   * @param {object} app of app.js
   * @param {Element} main where the views are
   */
  constructor(app, main) {
    this.#app = app;
    this.#main = main;
  }

  /** Whether a view that is not looked at has the camera open. */
  get cameraInUse() {
    return [...this.#views].some(([name, { view }]) => name !== this.shown && view.usesCamera?.());
  }

  /** Look at a view. */
  async open(name) {
    const app = this.#app;
    const mine = ++this.#turn;
    const before = this.shown;
    this.shown = name;
    this.#leave(before);
    app.notice(null);
    for (const link of document.querySelectorAll(".tabs a")) {
      if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.title = `${app.t(`nav.${name}`)} · Kinecast`;
    try {
      if (!this.#views.has(name)) await this.#mount(name, () => mine === this.#turn);
      if (mine !== this.#turn) return;
      const { root, own } = this.#views.get(name);
      root.hidden = false;
      own.show();
    } catch (error) {
      console.error(error);
      if (mine === this.#turn) app.notice(app.t("view.failed"), { kind: "problem" });
    }
  }

  /** The language is another one. */
  async speak() {
    for (const [name, { view }] of this.#views) {
      if (view.speak) view.speak();
      else this.#end(name);
    }
    await this.open(this.shown);
  }

  /** The page goes away, maybe for a reload. */
  suspend() {
    const [went] = [...this.#views].find(([, { view }]) => view.goesOn?.()) ?? [];
    if (went) sessionStorage.setItem(WENT_ON, went);
    else sessionStorage.removeItem(WENT_ON);
    for (const { view } of this.#views.values()) (view.suspend ?? view.unmount)();
  }

  /** The page is back: what went on goes on, whichever view is looked at. @param {string[]} names */
  async resume(names) {
    const went = names.find((name) => name === sessionStorage.getItem(WENT_ON));
    if (went) await this.#mount(went, () => true);
  }

  async #mount(name, wanted) {
    const root = document.createElement("div");
    root.className = `view ${name}`;
    root.hidden = true;
    const [module] = await Promise.all([
      import(`./views/${name}.js`),
      name !== "train" && loadStyle("all_but_train"),
    ]);
    if (!wanted()) return;
    this.#main.append(root);
    const own = new Own(this.#app, name, () => this.shown === name);
    this.#views.set(name, { root, own, view: await module.mount(root, own.app) });
    if (!wanted()) this.#leave(name);
  }

  #leave(name) {
    const { view, root, own } = this.#views.get(name) ?? {};
    // The same view again is mounted anew, unless it goes on.
    if (!view?.goesOn?.()) return this.#end(name);
    if (name === this.shown) return;
    root.hidden = true;
    own.hide();
  }

  #end(name) {
    const { view, root } = this.#views.get(name) ?? {};
    this.#views.delete(name);
    view?.unmount();
    root?.remove();
  }
}

/** What one view has of `app` for itself. */
class Own {
  #all;
  #name;
  #isShown;
  #notice = [null];
  #badge = ["", ""];

  constructor(all, name, isShown) {
    [this.#all, this.#name, this.#isShown] = [all, name, isShown];
    this.app = Object.create(all);
    this.app.notice = (...told) => {
      this.#notice = told;
      if (isShown()) all.notice(...told);
    };
    this.app.announce = (...said) => isShown() && all.announce(...said);
    this.app.badge = (...told) => {
      this.#badge = told;
      this.#mark();
    };
  }

  show() {
    this.#mark();
    this.#all.notice(...this.#notice);
  }

  hide() {
    this.#mark();
  }

  #mark() {
    const [text, meaning] = this.#isShown() ? ["", ""] : this.#badge;
    const link = document.querySelector(`.tabs a[href="#${this.#name}"]`);
    const found = link.querySelector(".tab-badge");
    if (!text) return found?.remove();
    const badge = found ?? link.appendChild(el("b.tab-badge.figures"));
    badge.replaceChildren(text, el("span.hidden", { textContent: ` ${meaning}` }));
  }
}
