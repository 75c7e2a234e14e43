import { Connections } from '@portcullis/contracts/feed'
import { script } from '@portcullis/redis'
import { type Static, Type } from '@sinclair/typebox'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const answer = script<null>(new URL('./answer.lua', import.meta.url))

/** Longer than any caller waits for answers. */
const keepMs = 60_000

/**
 * A node's answer, as an auth instance passes it on. Without `answer` the node does not answer
 * inquiries.
 */
export const NodeAnswer = Type.Object({
  node: Type.String(),
  instance: Type.String(),
  answer: Type.Optional(Type.Pick(Connections, ['connections', 'tokens'])),
})
export type NodeAnswer = Static<typeof NodeAnswer>

/** Stores a node's answer for the auth instance that asked. */
export async function answerInquiry(
  registry: Registry,
  id: string,
  given: NodeAnswer,
): Promise<void> {
  const { keys } = registry
  const args = [JSON.stringify(given), keepMs, keys.answers, id]
  await run(registry, answer, [keys.inquiry(id)], args)
}
