import { readFileSync } from 'node:fs'
import { Argument, type Command } from 'commander'
import { candidates } from '../completion/candidates.js'
import { knownValues } from '../completion/known-values.js'
import type { Shell } from '../terminal/shell.js'

const installHelp = `
bash, in ~/.bashrc:                 eval "$(portcullis completion bash)"
zsh, in ~/.zshrc, after compinit:   eval "$(portcullis completion zsh)"
fish:                               portcullis completion fish >~/.config/fish/completions/portcullis.fish`

/** `portcullis completion` prints a script; the script calls the hidden `portcullis complete`. */
export function completionCommands(program: Command, shell: Shell): void {
  program
    .command('completion')
    .description('print the completion script for your shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', installHelp)
    .action((name: string) => {
      const script = new URL(`../../completion/portcullis.${name}`, import.meta.url)
      shell.stdout.write(readFileSync(script))
    })

  program
    .command('complete', { hidden: true })
    .description('print a line "value<tab>description" for each completion of the last word')
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
