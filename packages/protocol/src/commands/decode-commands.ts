import { ProtocolError } from '../errors.js'
import { JsonText } from '../json/json-text.js'
import type { Command } from './commands.js'
import { readCommand } from './read-command.js'

/** Commands per frame. A client that reconnects sends one per channel. */
export const maxCommandsPerFrame = 256

/**
 * Returns the commands of one text frame: one JSON object per line; blank lines are ignored. Counts
 * the lines before it parses any.
 *
 * @throws ProtocolError when the frame breaks the protocol
 */
export function decodeCommands(text: string, maxCommands = maxCommandsPerFrame): Command[] {
  const lines = text.split('\n', maxCommands + 1)
  if (lines.length > maxCommands && lines[maxCommands]?.trim() !== '') {
    throw new ProtocolError('too_many_commands', `the frame has more than ${maxCommands} commands`)
  }
  const commands = lines
    .filter((line) => line.trim() !== '')
    .map((line) => readCommand(parse(line), (method) => JsonText.member(line, [method, 'data'])))
  if (commands.length === 0) {
    throw new ProtocolError('empty_frame', 'the frame has no command')
  }
  return commands
}

function parse(line: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new ProtocolError('not_json', 'a line of the frame is not JSON')
  }
  return isObject(value) ? value : notAnObject()
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function notAnObject(): never {
  throw new ProtocolError('not_a_command', 'a command must be a JSON object')
}
