import type { TokenResponse } from '@portcullis/contracts/tokens'
import {
  type AuthProcess,
  type RealtimeProcess,
  startAuth,
  startRealtime,
  type Teardown,
  testRedis,
} from '@portcullis/local'
import { Recorder } from '../faults/record/recorder.js'

export interface Scene {
  auth: AuthProcess
  nodes: readonly [RealtimeProcess, RealtimeProcess]
  /** Connects and subscribes a client whose token permits every channel. */
  client(name: string, node: RealtimeProcess): Promise<Recorder>
  /** Issues such a token, with `more` scopes. */
  tokenFor(subject: string, more?: string): Promise<TokenResponse>
}

/** Starts auth with its registry at `redisUrl`, and two realtime nodes with the tests' usual Redis. */
export async function startScene(
  t: Teardown,
  { redisUrl, env }: { redisUrl: string; env: Readonly<Record<string, string>> },
): Promise<Scene> {
  const { url, prefix } = await testRedis(t)
  const auth = await startAuth({ redisUrl, prefix, env })
  t.teardown(() => auth.stop())
  const { status, body } = await auth.api('POST', '/v1/identities', {
    identity: 'realtime',
    scopes: ['introspect', 'feed'],
  })
  if (status !== 201) {
    throw new Error(`realtime is not registered: ${status}`)
  }
  const startNode = async () => {
    const node = await startRealtime({
      redisUrl: url,
      prefix,
      authUrl: auth.url,
      credentials: { identity: 'realtime', registrationCode: body.registrationCode },
      // Longer than a failover: nodes hold their clients instead of closing them.
      env: { LEASE_GRACE_MS: '60000' },
    })
    t.teardown(() => node.stop())
    return node
  }
  const nodes = await Promise.all([startNode(), startNode()])
  const tokenFor = async (subject: string, more = '') => {
    const order = { subject, scope: `subscribe:* publish:* ${more}`.trim() }
    const answer = await auth.api('POST', '/v1/tokens', order)
    if (answer.status !== 201) {
      throw new Error(`no token: ${answer.status}`)
    }
    return answer.body
  }
  return {
    auth,
    nodes,
    tokenFor,
    async client(name, node) {
      const recorder = await Recorder.open(name, node.wsUrl, await tokenFor(name))
      t.teardown(() => recorder.disconnect())
      return recorder
    },
  }
}
