/** The channels of the printed story: with every channel option switched on. */
const demo = {
  historySize: 100,
  historyTtlSeconds: 3600,
  recovery: true,
  presence: true,
  joinLeave: true,
  delta: true,
  tagsFilter: true,
}

/** Returns the user's namespaces (JSON) and `demo`. Leaves text that is no JSON for the node to refuse. */
export function withDemo(given = '{}'): string {
  try {
    return JSON.stringify({ demo, ...JSON.parse(given) })
  } catch {
    return given
  }
}
