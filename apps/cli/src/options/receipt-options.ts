import type { Command } from 'commander'
import { wholeNumber } from './parsers.js'

/** Adds `--wait` and `--replicas`. */
export function withReceiptOptions(command: Command): Command {
  return command
    .option('--wait <ms>', 'wait up to this long for every node to confirm', wholeNumber(0), 12_000)
    .option(
      '--replicas <n>',
      'wait up to one second for this many Redis replicas; default: the setting of auth',
      wholeNumber(0),
    )
}
