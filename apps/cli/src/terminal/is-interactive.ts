import type { Shell } from './shell.js'

/** Returns true when a user can be asked: questions go to stderr, answers come from stdin. */
export function isInteractive({ stdin, stderr }: Shell): boolean {
  return stdin.isTTY === true && stderr.isTTY === true
}
