// What can go wrong, in plain words with what to do.

/**
 * The text for a problem.
 * @param {Function} t as in i18n.js
 * @param {{code: string|number, message?: string, in_s?: number, retry_after_s?: number}} problem
 *   as kinecast.js gives it, or the `{message, code}` of an HTTP error
 */
export function explain(t, { code, message = "", ...values }) {
  const known = t(
    `problem.${values.type === "analyzer_lag" ? values.state : code}`,
    { ...values, message },
    "",
  );
  return known || t("problem.other", { message: message || String(code) });
}

/** The problem that an HTTP answer with an error status tells of. */
export async function problemOf(response) {
  const told = await response.json().catch(() => ({}));
  const retry = Number(response.headers.get("Retry-After"));
  return {
    code: response.status,
    message: told.message ?? told.detail ?? response.statusText,
    ...(retry ? { retry_after_s: retry } : {}),
  };
}
