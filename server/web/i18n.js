// The page's texts: one file for each language below texts/.

const LANGUAGES = { en: "English", de: "Deutsch" };
const KEPT = "kinecast.language";

/** What there is, code to name. */
export const languages = LANGUAGES;

/** The chosen language, or the first of the browser's that there is. */
export function preferredLanguage() {
  const wanted = [localStorage.getItem(KEPT), ...navigator.languages.map((tag) => tag.slice(0, 2))];
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
  return translator((await import(`./texts/${language}.js`)).default, language);
}

/** The same of texts that are there; `rest` has those that are not among them. */
export function translator(texts, language, rest = (_, __, fallback) => fallback) {
  const plural = new Intl.PluralRules(language);
  return function t(key, values = {}, fallback = key) {
    let text = texts[key] ?? rest(key, values, fallback);
    if (typeof text === "object") text = text[plural.select(values.n)] ?? text.other;
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  };
}
