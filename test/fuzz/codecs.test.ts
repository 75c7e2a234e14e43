import assert from 'node:assert/strict'
import { channelNamePattern } from '@portcullis/contracts/names'
import {
  type Codec,
  type Command,
  jsonCodec,
  maxCommandId,
  ProtocolError,
  protobufCodec,
} from '@portcullis/protocol'
import fc from 'fast-check'
import t from 'tap'
import { corpus } from './corpus.js'
import { jsonMessage } from './json-messages.js'
import { protobufMessage } from './protobuf-messages.js'
import { runs } from './runs.js'

const forms: readonly ['json' | 'protobuf', Codec, fc.Arbitrary<Buffer>][] = [
  ['json', jsonCodec, jsonMessage],
  ['protobuf', protobufCodec, protobufMessage],
]

/** Commands that have a channel. */
const channelCommands = /^(?:un)?subscribe$|^publish$|^presence|^history$|^sub_refresh$/

/** Decodes a message; returns its commands, or none after a ProtocolError. Throws any other error. */
function read(codec: Codec, message: Buffer): Command[] {
  let commands: Command[]
  try {
    commands = codec.decode(message)
  } catch (error) {
    if (error instanceof ProtocolError) {
      return []
    }
    throw error
  } finally {
    assert(!('polluted' in {}), 'no prototype was changed')
  }
  assert(commands.length > 0 && commands.length <= 256)
  for (const command of commands) {
    if (command.method === 'pong' || command.method === 'send') {
      continue
    }
    const { id, method } = command
    assert(Number.isInteger(id) && id >= 1 && id <= maxCommandId, `id ${id}`)
    if (!channelCommands.test(method) || method === 'malformed' || !('channel' in command.body)) {
      continue
    }
    const { channel } = command.body
    assert(channelNamePattern.test(channel) && channel.length <= 255, `channel ${channel}`)
  }
  return commands
}

for (const [name, codec, message] of forms) {
  t.test(`the ${name} codec decodes or refuses every input of the corpus`, async (t) => {
    const inputs = corpus(name)
    t.ok(inputs.length > 20)
    for (const { name: file, bytes } of inputs) {
      t.doesNotThrow(() => read(codec, bytes), file)
    }
  })

  t.test(`the ${name} codec decodes or refuses random messages`, async (t) => {
    let understood = 0
    fc.assert(
      fc.property(message, (bytes) => {
        if (read(codec, bytes).length > 0) {
          understood += 1
        }
      }),
      { numRuns: runs(3000) },
    )
    t.ok(understood > runs(3000) / 5, `${understood} messages were valid`)
  })

  t.test(`the ${name} codec decodes or refuses messages of the other codec`, async () => {
    const other = name === 'json' ? protobufMessage : jsonMessage
    fc.assert(
      fc.property(other, (bytes) => void read(codec, bytes)),
      { numRuns: runs(500) },
    )
  })
}
