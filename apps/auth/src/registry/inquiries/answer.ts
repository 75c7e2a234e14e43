import { Connections } from '@portcullis/contracts/feed'
import { script } from '@portcullis/redis'
import { type Static, Type } from '@sinclair/typebox'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const answer = script<null>(new URL('./answer.lua', import.meta.url))

/** Longer than anybody waits for one. */
const keepMs = 60_000

/** What an instance says on behalf of a node; without `answer` the node is one that answers none. */
export const NodeAnswer = Type.Object({
  node: Type.String(),
  instance: Type.String(),
  answer: Type.Optional(Type.Pick(Connections, ['connections', 'tokens'])),
})
export type NodeAnswer = Static<typeof NodeAnswer>

/** Gives a node's answer to the instance that asked. */
export async function answerInquiry(
  registry: Registry,
  id: string,
  given: NodeAnswer,
): Promise<void> {
  const { keys } = registry
  const args = [JSON.stringify(given), keepMs, keys.answers, id]
  await run(registry, answer, [keys.inquiry(id)], args)
}
