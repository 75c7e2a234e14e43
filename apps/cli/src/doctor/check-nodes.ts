import type { NodeInfo } from '@portcullis/contracts/feed'
import { type RealtimeUrl, realtimeUrl } from '../installation/realtime-url.js'
import { type Check, failed, ok, warning } from './check.js'

/** A realtime node to check, known from the configuration, from auth, or both. */
export interface Target {
  name: string
  url: RealtimeUrl
}

/** Returns the nodes whose URL is known, each once. */
export function targetsOf(
  configured: readonly RealtimeUrl[],
  nodes: readonly NodeInfo[],
): Target[] {
  const targets = new Map<string, Target>()
  for (const { node, url } of nodes) {
    const known = url === undefined ? undefined : parsedUrl(url)
    if (known !== undefined) {
      targets.set(known.api, { name: node, url: known })
    }
  }
  for (const url of configured) {
    if (!targets.has(url.api)) {
      targets.set(url.api, { name: new URL(url.api).host, url })
    }
  }
  return [...targets.values()]
}

/** Checks the states that auth reports for its realtime nodes. */
export function checkNodes(nodes: readonly NodeInfo[]): Check[] {
  if (nodes.length === 0) {
    const advice = 'start a node with the right AUTH_URL, IDENTITY and REGISTRATION_CODE'
    return [failed('nodes', 'auth knows no realtime node', advice)]
  }
  return nodes.map(checkNode)
}

function checkNode({ node, connected, fenced, pending, url }: NodeInfo): Check {
  const name = `${node} lease`
  if (fenced) {
    const advice = 'it delivers nothing until it reaches auth again; check its log and its network'
    return failed(name, 'fenced: its lease has expired', advice)
  }
  if (!connected) {
    const advice = 'revocations wait for this node; check its log, and that it can reach auth'
    return failed(name, 'away: it has no connection to auth', advice)
  }
  if (pending > 0) {
    const found = `connected, ${pending} revocations not acknowledged`
    return warning(name, found, 'run this again; if they remain, check its log')
  }
  if (url === undefined || parsedUrl(url) === undefined) {
    const found = 'connected, but it reports no URL for clients, so it cannot be checked'
    return warning(name, found, 'set PUBLIC_URL of the node')
  }
  return ok(name, 'connected to auth, holds its lease')
}

function parsedUrl(url: string): RealtimeUrl | undefined {
  try {
    return realtimeUrl(url)
  } catch {
    return undefined
  }
}
