import { defined } from '@portcullis/contracts/defined'
import {
  type AuthReceipt,
  type NodeReceipt,
  type Receipt,
  Selector,
} from '@portcullis/contracts/revocations'
import { Value } from '@sinclair/typebox/value'
import { authNameOf } from '../auth-part/auth-part.js'
import { unavailable } from '../run.js'

/** A receipt's hash in one partition. `us` is the microsecond of that partition's commit. */
export interface ReceiptPart {
  us: number
  fields: Record<string, string>
}

/**
 * Builds a receipt from its parts: one part, or one of each partition for `{all: true}`. A node is
 * acked when it has acknowledged in every part that waits for it. A missing part keeps the receipt
 * incomplete.
 */
export function receiptOf(id: string, parts: readonly (ReceiptPart | undefined)[]): Receipt {
  const found = parts.filter((part) => part !== undefined)
  const nodes = new Map<string, NodeReceipt>()
  for (const { fields } of found) {
    for (const [name, value] of Object.entries(fields)) {
      addNode(nodes, name, value)
    }
  }
  const list = [...nodes.values()].sort((a, b) => (a.node < b.node ? -1 : 1))
  const auths = list.flatMap(authReceiptOf)
  const reason = found[0]?.fields['reason'] ?? ''
  const { replicas, replicasAsked } = found[0]?.fields ?? {}
  return {
    id,
    at: Math.floor(Math.max(...found.map(({ us }) => us)) / 1000),
    // Stored after the commit; 0 until then.
    tokens: found.reduce((sum, { fields }) => sum + Number(fields['tokens'] ?? 0), 0),
    ...(found.some(({ fields }) => fields['atLeast'] !== undefined)
      ? { atLeast: true as const }
      : {}),
    complete:
      found.length > 0 &&
      found.length === parts.length &&
      list.every(({ state }) => state !== 'pending'),
    nodes: list.filter(({ node }) => authNameOf(node) === undefined),
    auths,
    selector: selectorOf(found[0]?.fields['selector']),
    ...(reason === '' ? {} : { reason }),
    ...(replicas === undefined || replicasAsked === undefined
      ? {}
      : { replicas: Number(replicas), replicasAsked: Number(replicasAsked) }),
  }
}

/**
 * Adds one field of a receipt: `node:<instance>:<node>` (`pending`, the microseconds to the ack, or
 * `fenced` and the microseconds to the fence) or `closed:<instance>:<node>` (connections closed;
 * with {all: true} several fields, each with a suffix `@<position>`).
 */
function addNode(nodes: Map<string, NodeReceipt>, name: string, value: string): void {
  const [, field, instance, node] = /^(node|closed):([^:]+):([^@]+)/.exec(name) ?? []
  if (field === undefined || instance === undefined || node === undefined) {
    return
  }
  const key = `${instance}:${node}`
  const known: NodeReceipt = nodes.get(key) ?? { node, state: 'acked', connectionsClosed: 0 }
  nodes.set(key, known)
  if (field === 'closed') {
    known.connectionsClosed += Number(value)
  } else if (value === 'pending') {
    known.state = 'pending'
    delete known.ms
  } else if (known.state !== 'pending') {
    if (value.startsWith('fenced')) {
      known.state = 'fenced'
    }
    known.ms = Math.max(known.ms ?? 0, Number(value.replace('fenced ', '')) / 1000)
  }
}

function authReceiptOf({ node, state, ms }: NodeReceipt): AuthReceipt[] {
  const auth = authNameOf(node)
  return auth === undefined ? [] : [{ auth, state, ...defined({ ms }) }]
}

/**
 * Parses a stored selector.
 *
 * @throws RegistryError `registry_unavailable` when it is malformed
 */
export function selectorOf(text: string | undefined): Selector {
  let selector: unknown
  try {
    selector = JSON.parse(text ?? '')
  } catch (error) {
    throw unavailable(error)
  }
  if (!Value.Check(Selector, selector)) {
    throw unavailable(new Error('a stored selector is malformed'))
  }
  return selector
}
