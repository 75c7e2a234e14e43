import type { Shell } from './shell.js'

/** Whether there is a person to ask: questions go to stderr, answers come from stdin. */
export function isInteractive({ stdin, stderr }: Shell): boolean {
  return stdin.isTTY === true && stderr.isTTY === true
}
