import { ChannelName } from '@portcullis/contracts/names'
import { TypeCompiler } from '@sinclair/typebox/compiler'

const channelName = TypeCompiler.Compile(ChannelName)

/**
 * Returns the channels of configured patterns for one subject, which replaces `{sub}`. Leaves out
 * those that are no valid channel name with this subject in it.
 */
export function channelsOf(patterns: readonly string[], subject: string): string[] {
  const names = patterns.map((pattern) => pattern.replaceAll('{sub}', () => subject))
  return [...new Set(names)].filter((name) => channelName.Check(name))
}
