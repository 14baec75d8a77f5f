// What is left of a training when its page goes away: for this tab, until it is closed.

const KEPT = "kinecast.training";
// After longer, nobody stands in front of the camera any more.
const RESUMABLE_MS = 10 * 60_000;

/**
 * Keep it.
 * @param {object} what `{kind: "training", source, session, book, sets, pts_ms, at_ms}`, of which `source` says
 *   what sent pictures: `{kind: "camera" | "sample" | "file", at_s}`; or
 *   `{kind: "summary", summary, session, at_ms}`
 */
export function keep(what) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(what));
  } catch {
    // There is no room for it: it goes on as long as the page is there.
  }
}

/** Nothing is to be kept any more. */
export function forget() {
  sessionStorage.removeItem(KEPT);
}

/** What was kept, with `resumable`: whether a training can go on; null if there is nothing. */
export function kept() {
  const what = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (what?.kind !== "training") return what;
  const fresh = Date.now() - what.at_ms < RESUMABLE_MS;
  return { ...what, resumable: fresh && what.source.kind !== "file" };
}
