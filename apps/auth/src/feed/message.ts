import { type AuthMessage, NodeMessage } from '@portcullis/contracts/feed'
import { TypeCompiler } from '@sinclair/typebox/compiler'

const check = TypeCompiler.Compile(NodeMessage)

/** A node's message; undefined when it is none. */
export function decode(text: string): NodeMessage | undefined {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return undefined
  }
  return check.Check(message) ? message : undefined
}

export function encode(message: AuthMessage): Buffer {
  return Buffer.from(JSON.stringify(message))
}
