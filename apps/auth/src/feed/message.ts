import { type AuthMessage, NodeMessage } from '@portcullis/contracts/feed'
import { TypeCompiler } from '@sinclair/typebox/compiler'

const nodeMessage = TypeCompiler.Compile(NodeMessage)

/** Parses a node's message; returns undefined when it is malformed. */
export function decode(text: string): NodeMessage | undefined {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return undefined
  }
  return nodeMessage.Check(message) ? message : undefined
}

export function encode(message: AuthMessage): Buffer {
  return Buffer.from(JSON.stringify(message))
}
