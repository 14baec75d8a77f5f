// What the server can see: its analyzers, as /health tells of them.

/**
 * @param {object} app of router.js
 * @returns {Promise<?{can: string[], cannot: Object<string, string>}>} names of those that run, or will
 *   when they are loaded; why the others do not. null if the server can not be asked
 */
export async function analyzersOf(app) {
  try {
    const { ready, analyzers } = await (await app.fetch("/health")).json();
    const all = Object.entries(analyzers);
    const runs = (told) => told.ready || !ready;
    return {
      can: all.filter(([, told]) => runs(told)).map(([name]) => name),
      cannot: Object.fromEntries(
        all.filter(([, told]) => !runs(told)).map(([name, { reason }]) => [name, reason]),
      ),
    };
  } catch {
    return null;
  }
}
