import { Value } from '@sinclair/typebox/value'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import { NodeAnswer } from './answer.js'

/** Returns the answers to an inquiry in the order in which they arrived. */
export async function readAnswers({ redis, keys }: Registry, id: string): Promise<NodeAnswer[]> {
  const texts = await guard(redis.lrange(keys.inquiry(id), 0, -1))
  return texts.map((text) => Value.Parse(NodeAnswer, JSON.parse(text)))
}
