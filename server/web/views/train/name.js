// The name that somebody trains under: who may watch sees it, and their video, in Sessions.

const KEPT = "kinecast.name";

/** As it was written, or "". */
export const keptName = () => localStorage.getItem(KEPT) ?? "";

/** Keep it. @param {string} text */
export function keepName(text) {
  if (text.trim()) localStorage.setItem(KEPT, text);
  else localStorage.removeItem(KEPT);
}

/**
 * A name as the protocol has it: letters without their marks, digits, and `-` for all else.
 * @param {string} text
 * @returns {string|undefined} undefined if nothing is left of it
 */
export function asPublished(text) {
  const plain = text.replaceAll("ß", "ss").normalize("NFD").replace(/\p{M}/gu, "");
  const name = plain.replace(/[^A-Za-z0-9_.]+/g, "-").replace(/^-+|-+$/g, "");
  return name.slice(0, 128) || undefined;
}
