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

/** Commands that are about a channel; in others a field of that name is not looked at. */
const ofChannel = /^(?:un)?subscribe$|^publish$|^presence|^history$|^sub_refresh$/

/** Reads a message; gives its commands, or none when it was refused as it should be. Throws otherwise. */
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
    if (!ofChannel.test(method) || method === 'malformed' || !('channel' in command.body)) {
      continue
    }
    const { channel } = command.body
    assert(channelNamePattern.test(channel) && channel.length <= 255, `channel ${channel}`)
  }
  return commands
}

for (const [name, codec, message] of forms) {
  t.test(`the corpus of the ${name} form is read or refused`, async (t) => {
    const inputs = corpus(name)
    t.ok(inputs.length > 20)
    for (const { name: file, bytes } of inputs) {
      t.doesNotThrow(() => read(codec, bytes), file)
    }
  })

  t.test(`whatever comes in the ${name} form is read or refused`, async (t) => {
    let understood = 0
    fc.assert(
      fc.property(message, (bytes) => {
        if (read(codec, bytes).length > 0) {
          understood += 1
        }
      }),
      { numRuns: runs(3000) },
    )
    t.ok(understood > runs(3000) / 5, `${understood} of the messages were of the protocol`)
  })

  t.test(`what is of the other form is no harm in the ${name} form`, async () => {
    const other = name === 'json' ? protobufMessage : jsonMessage
    fc.assert(
      fc.property(other, (bytes) => void read(codec, bytes)),
      { numRuns: runs(500) },
    )
  })
}
