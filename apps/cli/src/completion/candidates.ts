import type { Argument, Command, Option } from 'commander'

export interface Candidate {
  value: string
  description: string
}

/** What is to be completed: one of these values, or the name of a file. */
export type Completion = readonly Candidate[] | 'files'

/** The values of what help calls `<placeholder>`; undefined when nobody can know them. */
export type ValuesOf = (placeholder: string) => Completion | undefined

/**
 * What may stand at the last of `words`, which are all after the name of the program. Read from the
 * tree of commands, so that it knows each command and option there is.
 */
export function candidates(
  root: Command,
  words: readonly string[],
  valuesOf: ValuesOf,
): Completion {
  const current = words.at(-1) ?? ''
  const { command, positionals, awaiting, onlyPositionals } = before(root, words.slice(0, -1))
  const fitting = (values: readonly Candidate[]) =>
    values.filter(({ value }) => value.startsWith(current))
  const values = (of: Option | Argument, prefix = '') => {
    const known = of.argChoices?.map(plain) ?? valuesOf(placeholderOf(of)) ?? []
    if (known === 'files') {
      return known
    }
    return fitting(known.map((one) => ({ ...one, value: `${prefix}${one.value}` })))
  }

  if (awaiting !== undefined) {
    return values(awaiting)
  }
  const options = optionsOf(command)
  if (current.startsWith('-') && !onlyPositionals) {
    const [flag = '', given] = current.split('=', 2)
    const option = given === undefined ? undefined : options.find(called(flag))
    if (option !== undefined) {
      return takesValue(option) ? values(option, `${flag}=`) : []
    }
    return fitting(options.map(flagOf))
  }
  const subcommands = positionals === 0 ? command.createHelp().visibleCommands(command) : []
  if (subcommands.length > 0) {
    return fitting(
      subcommands.map((one) => ({ value: one.name(), description: one.description() })),
    )
  }
  const last = command.registeredArguments.at(-1)
  const argument = command.registeredArguments[positionals] ?? (last?.variadic ? last : undefined)
  if (argument !== undefined) {
    return values(argument)
  }
  return current === '' && !onlyPositionals ? options.map(flagOf) : []
}

/** Where the finished words have led. */
function before(root: Command, words: readonly string[]) {
  let command = root
  let positionals = 0
  let awaiting: Option | undefined
  let onlyPositionals = false
  for (const word of words) {
    if (awaiting !== undefined) {
      awaiting = undefined
    } else if (word === '--') {
      onlyPositionals = true
    } else if (word.startsWith('-') && !onlyPositionals) {
      const option = optionsOf(command).find(called(word))
      if (option !== undefined && takesValue(option)) {
        awaiting = option
      }
    } else {
      const next = command.commands.find((one) => one.name() === word)
      if (positionals === 0 && next !== undefined) {
        command = next
      } else {
        positionals += 1
      }
    }
  }
  return { command, positionals, awaiting, onlyPositionals }
}

/** Its own, and those of the commands above it. */
function optionsOf(command: Command): readonly Option[] {
  const help = command.createHelp()
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)]
}

function called(word: string): (option: Option) => boolean {
  return ({ long, short }) => long === word || short === word
}

function takesValue(option: Option): boolean {
  return option.required || option.optional
}

/** What help shows in place of the value: `file` of `--out <file>`. */
function placeholderOf(of: Option | Argument): string {
  if (!('flags' in of)) {
    return of.name()
  }
  return /[<[]([^>\].]+)/.exec(of.flags)?.[1] ?? ''
}

function flagOf({ long, short, description }: Option): Candidate {
  return { value: long ?? short ?? '', description }
}

function plain(value: string): Candidate {
  return { value, description: '' }
}
