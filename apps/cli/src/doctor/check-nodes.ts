import type { NodeInfo } from '@portcullis/contracts/feed'
import { type RealtimeUrl, realtimeUrl } from '../installation/realtime-url.js'
import { type Check, failed, ok, warning } from './check.js'

/** A realtime node to look at: known from the configuration, from auth, or from both. */
export interface Target {
  name: string
  url: RealtimeUrl
}

/** The nodes that can be looked at, each once. */
export function targetsOf(
  configured: readonly RealtimeUrl[],
  nodes: readonly NodeInfo[],
): Target[] {
  const targets = new Map<string, Target>()
  for (const { node, url } of nodes) {
    const known = url === undefined ? undefined : readable(url)
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

/** What auth says of its realtime nodes. */
export function checkNodes(nodes: readonly NodeInfo[]): Check[] {
  if (nodes.length === 0) {
    const advice =
      'start one; AUTH_URL, IDENTITY and REGISTRATION_CODE of the node have to be right'
    return [failed('nodes', 'auth knows no realtime node', advice)]
  }
  return nodes.map(checkNode)
}

function checkNode({ node, connected, fenced, pending, url }: NodeInfo): Check {
  const name = `${node} lease`
  if (fenced) {
    const advice =
      'it delivers nothing until it reaches auth again: look at its log and its network'
    return failed(name, 'fenced: its lease is out', advice)
  }
  if (!connected) {
    const advice = 'revocations wait for it: look at its log, and whether it reaches auth'
    return failed(name, 'away: it has no connection to auth', advice)
  }
  if (pending > 0) {
    const found = `connected, ${pending} revocations not acknowledged`
    return warning(name, found, 'look again; if they stay, look at its log')
  }
  if (url === undefined || readable(url) === undefined) {
    const found = 'connected; it says no URL at which clients reach it, so it is not looked at'
    return warning(name, found, 'set PUBLIC_URL of the node')
  }
  return ok(name, 'connected to auth, holds its lease')
}

function readable(url: string): RealtimeUrl | undefined {
  try {
    return realtimeUrl(url)
  } catch {
    return undefined
  }
}
