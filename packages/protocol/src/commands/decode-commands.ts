import { ProtocolError } from '../errors.js'
import type { Command } from './commands.js'
import { readCommand } from './read-command.js'

/** How many commands a frame may carry; a client that subscribes again sends one for each channel. */
export const maxCommandsPerFrame = 256

/**
 * Reads the text of one frame: commands as JSON objects, one a line, blank lines ignored.
 * Lines are counted before any of them is parsed.
 *
 * @throws ProtocolError when the frame as a whole is not of the protocol
 */
export function decodeCommands(text: string, maxCommands = maxCommandsPerFrame): Command[] {
  const lines = text.split('\n', maxCommands + 1)
  if (lines.length > maxCommands && lines[maxCommands]?.trim() !== '') {
    throw new ProtocolError('too_many_commands', `more than ${maxCommands} commands in a frame`)
  }
  const commands = lines
    .filter((line) => line.trim() !== '')
    .map((line) => readCommand(parse(line)))
  if (commands.length === 0) {
    throw new ProtocolError('empty_frame', 'a frame without a command')
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
  throw new ProtocolError('not_a_command', 'a command is a JSON object')
}
