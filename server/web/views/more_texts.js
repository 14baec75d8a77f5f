// Texts that Train does without: in files of their own, loaded by the views that have them.

import { translator } from "../i18n.js";

/**
 * The texts of a view, and all others.
 * @param {object} app of router.js
 * @returns {Promise<Function>} `t` as app has it
 */
export async function moreTexts(app) {
  const { default: texts } = await import(`./texts/${app.language}.js`);
  return translator(texts, app.language, app.t);
}
