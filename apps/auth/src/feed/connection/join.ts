import { createHash } from 'node:crypto'
import { feedClose, type Hello } from '@portcullis/contracts/feed'
import { type Joined, type NodeInstance, RegistryError } from '../../registry/index.js'
import type { FeedRegistry } from '../registry.js'

const joinErrors = ['node_replaced', 'node_name_taken', 'node_name_not_allowed'] as const

/** Why a node may not join under its name. */
export type JoinError = (typeof joinErrors)[number]

/** How the connection of a refused node closes. */
export const joinRefusals: Readonly<Record<JoinError, [code: number, reason: string]>> = {
  node_replaced: [feedClose.replaced, 'a later process has this name'],
  node_name_taken: [feedClose.nameRefused, 'a node of another identity has this name'],
  node_name_not_allowed: [feedClose.nameRefused, 'this identity may not use this node name'],
}

export type JoinResult =
  | {
      result: 'joined'
      joined: Joined
      /** The cursor from which the node receives events. */
      cursor: string
      /** True when `cursor` is the node's own: it misses no event. */
      resumed: boolean
    }
  | { result: 'refused'; error: JoinError }
  | { result: 'inactive_token' }

/**
 * Lets the node of a hello join the registry.
 *
 * @throws RegistryError `registry_unavailable`
 */
export async function join(
  registry: FeedRegistry,
  token: { jti: string; identity: string },
  hello: Hello,
): Promise<JoinResult> {
  const { identity } = token
  // In parallel: each is a round trip to Redis.
  const [isActive, allowedNames, resumed] = await Promise.all([
    // The upgrade was admitted on the same answer, but only now does the hub report revocations: one may
    // have been committed in between.
    registry.isActive(token),
    registry.nodeNames(identity),
    canResume(registry, hello),
  ])
  if (!isActive) {
    return { result: 'inactive_token' }
  }
  if (!isAllowed(allowedNames, hello.node)) {
    return { result: 'refused', error: 'node_name_not_allowed' }
  }
  const { since, url } = hello
  try {
    const joined = await registry.joinNode({ ...instanceOf(hello), identity, since, url })
    const cursor = resumed ? (hello.cursor ?? joined.cursor) : joined.cursor
    return { result: 'joined', joined, cursor, resumed }
  } catch (error) {
    const code = joinErrorOf(error)
    if (code === undefined) {
      throw error
    }
    return { result: 'refused', error: code }
  }
}

/**
 * Returns what identifies the process in public. `instance` is the SHA-256 of the secret: only the
 * process itself knows the secret, as `Hello` says.
 */
export function instanceOf({ node, secret }: Hello): NodeInstance {
  return { node, instance: createHash('sha256').update(secret).digest('base64url') }
}

/**
 * Returns true when the feed has every event after the node's cursor. The cursor settles no receipt: an
 * acknowledgement that was lost with the connection is repeated after the welcome, with its counts.
 */
async function canResume(registry: FeedRegistry, { cursor }: Hello): Promise<boolean> {
  return cursor !== undefined && (await registry.readFeed(cursor, 1)) !== 'lost'
}

/** Returns true when `node` is among the names, or begins with a name that ends in `*`. */
function isAllowed(names: readonly string[] | undefined, node: string): boolean {
  return (
    names === undefined ||
    names.some((name) => (name.endsWith('*') ? node.startsWith(name.slice(0, -1)) : node === name))
  )
}

function joinErrorOf(error: unknown): JoinError | undefined {
  return error instanceof RegistryError ? joinErrors.find((code) => code === error.code) : undefined
}
