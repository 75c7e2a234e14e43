import { type Command, InvalidArgumentError, Option } from 'commander'

/** Parses an option's whole number; commander turns its error into a usage error. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) {
      return value
    }
    throw new InvalidArgumentError(`It must be a whole number, ${least} or more.`)
  }
}

/** Parses a moment: Unix milliseconds, or a date and time as ISO 8601 writes them. */
export function moment(text: string): number {
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  if (Number.isSafeInteger(at)) {
    return at
  }
  throw new InvalidArgumentError('It must be Unix milliseconds or like 2026-01-31T12:00:00Z.')
}

/** Gathers an option that may be given several times. */
export function each(text: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), text]
}

/** `--wait` and `--replicas`, alike for whatever revokes and shows the receipt. */
export function withReceiptOptions(command: Command): Command {
  return command
    .option('--wait <ms>', 'wait so long for every node to confirm', wholeNumber(0), 12_000)
    .option(
      '--replicas <n>',
      'wait a second for so many Redis replicas to have it; default: as auth is set',
      wholeNumber(0),
    )
}

/** `--node` and `--url`, alike for every command that speaks to a realtime node. */
export function withNodeOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--node <n>', 'the n-th realtime node that is known, from 0')
        .argParser(wholeNumber(0))
        .conflicts('url'),
    )
    .option('--url <url>', 'the realtime node at this URL')
}
