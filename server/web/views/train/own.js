// Exercises of one's own, as the server learned them, in this browser.

import { EXERCISES } from "./plan.js";
import { keepOwn, ownExercises } from "./wanted.js";

const MOST = 12;
const MOST_BYTES = 100_000;
// Of docs/analyzers.md; what is in them the server checks.
const KEYS = ["version", "name", "repetitions", "out", "out_s", "back_s", "signals", "joints"];
const NAME = /^[a-z0-9][a-z0-9_]{0,39}$/;
// The last one is there in every object that counts by name.
const TAKEN = [...EXERCISES, "none", "unknown", "constructor"];

/** What somebody calls it, as a name of the protocol; "" if it can be none. */
export function asName(text) {
  const plain = text.toLowerCase().replaceAll("ß", "ss").normalize("NFD").replace(/\p{M}/gu, "");
  const name = plain.replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  return NAME.test(name) && !TAKEN.includes(name) ? name : "";
}

const othersThan = (name) => ownExercises().filter((each) => each.name !== name);

/** Whether there is room for one of this name. */
export const hasRoom = (name) => othersThan(name).length < MOST;

/** Keep one; it takes the place of one of its name. @returns {boolean} whether there was room */
export function add(definition) {
  const room = hasRoom(definition.name);
  if (room) keepOwn([...othersThan(definition.name), definition]);
  return room;
}

/** Forget one. @param {string} gone its name */
export const remove = (gone) => keepOwn(othersThan(gone));

/**
 * Those of a file: one, as `kinecast learn` writes it, or a list.
 * @param {File} file
 * @throws {Error} it has none
 */
export async function read(file) {
  if (file.size > MOST_BYTES) throw new Error("too large");
  const told = JSON.parse(await file.text());
  const list = Array.isArray(told) ? told : [told];
  const isOne = (each) =>
    each?.version === 1 &&
    Object.keys(each).sort().join() === [...KEYS].sort().join() &&
    typeof each.name === "string" &&
    NAME.test(each.name) &&
    !TAKEN.includes(each.name) &&
    Array.isArray(each.signals) &&
    Array.isArray(each.joints);
  if (!list.length || list.length > MOST || !list.every(isOne)) throw new Error("none");
  return list;
}
