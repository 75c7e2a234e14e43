import type { Argument, Command, Option } from 'commander'

export interface Candidate {
  value: string
  description: string
}

/** The completions of a word: values, or any file name. */
export type Completion = readonly Candidate[] | 'files'

/** Returns the values of a `<placeholder>` in the help; undefined when they are unknown. */
export type ValuesOf = (placeholder: string) => Completion | undefined

/**
 * Returns the completions of the last of `words`, the arguments of the program. They come from the
 * tree of commands, so every command and option is known.
 */
export function candidates(
  root: Command,
  words: readonly string[],
  valuesOf: ValuesOf,
): Completion {
  const current = words.at(-1) ?? ''
  const { command, positionals, awaiting, onlyPositionals } = parseWords(root, words.slice(0, -1))
  const matching = (values: readonly Candidate[]) =>
    values.filter(({ value }) => value.startsWith(current))
  const values = (of: Option | Argument, prefix = '') => {
    const known = of.argChoices?.map(withoutDescription) ?? valuesOf(placeholderOf(of)) ?? []
    if (known === 'files') {
      return known
    }
    return matching(
      known.map((candidate) => ({ ...candidate, value: `${prefix}${candidate.value}` })),
    )
  }

  if (awaiting !== undefined) {
    return values(awaiting)
  }
  const options = optionsOf(command)
  if (current.startsWith('-') && !onlyPositionals) {
    const [flag = '', given] = current.split('=', 2)
    const option = given === undefined ? undefined : options.find(isNamed(flag))
    if (option !== undefined) {
      return takesValue(option) ? values(option, `${flag}=`) : []
    }
    return matching(options.map(flagOf))
  }
  const subcommands = positionals === 0 ? command.createHelp().visibleCommands(command) : []
  if (subcommands.length > 0) {
    return matching(
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

/** Returns the command that the complete words lead to, and what the next word may be. */
function parseWords(root: Command, words: readonly string[]) {
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
      const option = optionsOf(command).find(isNamed(word))
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

/** Returns the options of the command and of its parents. */
function optionsOf(command: Command): readonly Option[] {
  const help = command.createHelp()
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)]
}

function isNamed(word: string): (option: Option) => boolean {
  return ({ long, short }) => long === word || short === word
}

function takesValue(option: Option): boolean {
  return option.required || option.optional
}

/** Returns the name of the value in the help: `file` of `--out <file>`. */
function placeholderOf(of: Option | Argument): string {
  if (!('flags' in of)) {
    return of.name()
  }
  return /[<[]([^>\].]+)/.exec(of.flags)?.[1] ?? ''
}

function flagOf({ long, short, description }: Option): Candidate {
  return { value: long ?? short ?? '', description }
}

function withoutDescription(value: string): Candidate {
  return { value, description: '' }
}
