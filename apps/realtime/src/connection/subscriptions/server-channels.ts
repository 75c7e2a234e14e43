import { ChannelName } from '@portcullis/contracts/names'
import { TypeCompiler } from '@sinclair/typebox/compiler'

const channelName = TypeCompiler.Compile(ChannelName)

/**
 * The channels of configured patterns for one subject: `{sub}` stands for it. What is no channel's
 * name with this subject in it is left out.
 */
export function channelsOf(patterns: readonly string[], subject: string): string[] {
  const names = patterns.map((pattern) => pattern.replaceAll('{sub}', () => subject))
  return [...new Set(names)].filter((name) => channelName.Check(name))
}
