import { type Command, Option } from 'commander'
import { wholeNumber } from './parsers.js'

/** Adds `--node` and `--url`, which choose a realtime node. */
export function withNodeOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--node <n>', 'index of the realtime node, from 0')
        .argParser(wholeNumber(0))
        .conflicts('url'),
    )
    .option('--url <url>', 'URL of the realtime node')
}
