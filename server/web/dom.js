/**
 * Make an element.
 * @param {string} name its tag, with classes: `"p.quiet.small"`
 * @param {object} properties what to set: `onclick` and the like are listeners, what the element
 *   has as a property is set as one (`textContent`, `disabled`), all else is an attribute
 * @param {...(Node|string|null|false)} children appended in order; null and false are left out
 */
export function el(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag || "div");
  return fill(element, classes, properties, children);
}

/** The same for SVG; everything but listeners is an attribute. */
export function svg(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), classes, properties, children);
}

function fill(element, classes, properties, children) {
  if (classes.length) element.classList.add(...classes);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (element instanceof HTMLElement && key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/** Have the browser keep something as a file. @param {string} name @param {Blob} blob */
export function saveAs(name, blob) {
  const href = URL.createObjectURL(blob);
  el("a", { href, download: name }).click();
  // Some begin to read it only then.
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** What a colour of app.css is just now, for a canvas. @param {string} name `"accent"` */
export function colourOf(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** A ring around a value: an SVG and the function that fills it, from 0 to 1 or null. */
export function ring(className) {
  const circle = (name) =>
    svg(`circle.${name}`, { cx: 60, cy: 60, r: 54, pathLength: 100, "stroke-dasharray": "0 100" });
  const arc = circle("arc");
  const track = circle("track");
  track.setAttribute("stroke-dasharray", "100 0");
  const element = svg(
    `svg.ring${className ? `.${className}` : ""}`,
    { viewBox: "0 0 120 120", "aria-hidden": "true" },
    track,
    arc,
  );
  const fill = (part) => {
    arc.setAttribute("stroke-dasharray", `${(part ?? 0) * 100} 100`);
    arc.classList.toggle("empty", !part);
  };
  return { element, fill };
}

/** Load views/NAME.css, once. */
export function loadStyle(name) {
  const href = `/web/views/${name}.css`;
  if (document.querySelector(`link[href="${href}"]`)) return null;
  return new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    [link.onload, link.onerror] = [resolve, () => reject(new Error(`no ${href}`))];
    document.head.append(link);
  });
}
