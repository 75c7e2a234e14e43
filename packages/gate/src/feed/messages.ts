import { AuthMessage } from '@portcullis/contracts/feed'
import { TypeCompiler } from '@sinclair/typebox/compiler'

const schema = TypeCompiler.Compile(AuthMessage)

/** A message from auth that violates the feed's contract. */
export class FeedGarbage extends Error {}

/** Parses a message from auth. @throws FeedGarbage when the message violates the contract */
export function parseMessage(text: string): AuthMessage {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    throw new FeedGarbage('not JSON')
  }
  if (!schema.Check(message)) {
    throw new FeedGarbage('an unknown message')
  }
  return message
}
