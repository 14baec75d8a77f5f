// The page's texts: one file for each language below texts/.

const LANGUAGES = { en: "English", de: "Deutsch" };
const KEPT = "kinecast.language";
// Parts of the page whose texts were loaded when they were first needed: texts/PART/LANGUAGE.js.
const parts = new Set();

/** What there is, code to name. */
export const languages = LANGUAGES;

/** The chosen language, or the first of the browser's that there is. */
export function preferredLanguage() {
  const wanted = navigator.languages.map((tag) => tag.slice(0, 2));
  try {
    wanted.unshift(localStorage.getItem(KEPT));
  } catch {} // whoever blocks storage chooses anew
  return wanted.find((code) => code in LANGUAGES) ?? "en";
}

/** Keep the choice. */
export function keepLanguage(code) {
  localStorage.setItem(KEPT, code);
}

/**
 * Load a language's texts.
 * @param {string} language one of `languages`
 * @returns {Promise<(key: string, values?: object, fallback?: string) => string>} `t`: the text of
 *   a key, `{name}` in it replaced by a value; a key that has none gives the fallback, or itself.
 *   A text that is an object of `one` and `other` goes by `values.n`.
 */
export async function loadTexts(language) {
  const { default: texts } = await import(`./texts/${language}.js`);
  for (const part of parts) await loadPart(part, language);
  const plural = new Intl.PluralRules(language);
  return function t(key, values = {}, fallback = key) {
    let text = texts[key] ?? fallback;
    if (typeof text === "object") text = text[plural.select(values.n)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  };
}

/** Load the texts of a part of the page: they are in `t` from then on, whatever the language. */
export async function loadPart(part, language) {
  parts.add(part);
  const paths = [`./texts/${language}.js`, `./texts/${part}/${language}.js`];
  const [all, more] = await Promise.all(paths.map((path) => import(path)));
  Object.assign(all.default, more.default);
}
