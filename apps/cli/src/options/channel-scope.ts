import { type ChannelAction, maxScopes, parseScope } from '@portcullis/contracts/scopes'

/** Returns the scopes for an action in channels; undefined when scopes cannot name the channels. */
export function channelScope(
  action: ChannelAction,
  channels: readonly string[],
): string | undefined {
  const scopes = channels.map((channel) => `${action}:${channel}`)
  const areScopes = scopes.length <= maxScopes && scopes.every(isScope)
  return areScopes ? scopes.join(' ') : undefined
}

function isScope(text: string): boolean {
  return !text.includes(' ') && parseScope(text) !== undefined
}
