import { readFileSync } from 'node:fs'
import { Argument, type Command } from 'commander'
import { candidates } from '../completion/candidates.js'
import { knownValues } from '../completion/known-values.js'
import type { Shell } from '../terminal/shell.js'

const howTo = `
bash, in ~/.bashrc:                 eval "$(portcullis completion bash)"
zsh, in ~/.zshrc, after compinit:   eval "$(portcullis completion zsh)"
fish:                               portcullis completion fish >~/.config/fish/completions/portcullis.fish`

/** `portcullis completion`: the script; and `portcullis complete`, which the script asks. */
export function completionCommands(program: Command, shell: Shell): void {
  program
    .command('completion')
    .description('the script with which your shell completes portcullis')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', howTo)
    .action((name: string) => {
      const script = new URL(`../../completion/portcullis.${name}`, import.meta.url)
      shell.stdout.write(readFileSync(script))
    })

  program
    .command('complete', { hidden: true })
    .description('a line for each value that fits the last word, and a tab before what it means')
    .argument('[words...]')
    .action((words: string[]) => {
      const found = candidates(program, words, knownValues(shell))
      const lines =
        found === 'files'
          ? [':files']
          : found.map(({ value, description }) => `${value}\t${description}`)
      shell.stdout.write(lines.map((line) => `${line}\n`).join(''))
    })
}
