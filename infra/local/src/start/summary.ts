import { relative } from 'node:path'
import type { LocalRun } from '@portcullis/contracts/local'
import pc from 'picocolors'
import { checkout } from '../checkout.js'
import { withoutPassword } from '../redis/check-redis.js'

/** Returns the four commands of the story, ready to paste. */
export function storyCommands(dir: string): readonly Command[] {
  const token = quoted(shortest(`${dir}/ada.token`))
  return [
    {
      title: 'Get a token for the user ada:',
      text: `npx portcullis token issue --subject ada --out ${token} \\\n    --scope "subscribe:demo:* publish:demo:*"`,
    },
    {
      title: 'In a second terminal, connect to the first node with it, and listen:',
      text: `npx portcullis connect demo:hello --token-file ${token}`,
    },
    {
      title: 'Publish through another node:',
      text: `npx portcullis publish demo:hello '{"text":"hello"}' --node 1`,
    },
    {
      title: 'Revoke; the second terminal is cut off, and its token is worth nothing:',
      text: 'npx portcullis revoke --subject ada --wait 5000',
    },
  ]
}

interface Command {
  title: string
  text: string
}

/**
 * Returns what `npm start` prints when all services are ready, at most 80 columns wide.
 *
 * @param workers - the value of `--workers`
 */
export function summary(run: LocalRun, dir: string, workers?: string): string {
  const rows: [string, string][] = [
    ['auth', run.auth],
    ...run.realtime.map((url, index): [string, string] => [index === 0 ? 'realtime' : '', url]),
    ...(workers === undefined
      ? []
      : [['workers', `${workers}, of auth and of each node`] as [string, string]]),
    ['redis', shortest(withoutPassword(run.redis).replace(/^unix:\/\//, ''))],
    // On a private server each service has its own user.
    ...(run.pids.redis === undefined
      ? [['', 'shared by auth and the nodes: see docs/security.md'] as [string, string]]
      : []),
    ['logs', shortest(`${dir}/logs`)],
  ]
  const admin: [string, string][] = [
    ['administrator', run.admin.identity],
    ['registration code', run.admin.registrationCode],
  ]
  const width = 19
  const show = ([name, value]: [string, string]) => `  ${pc.dim(name.padEnd(width))}${value}`
  const steps = storyCommands(dir).map(
    ({ title, text }, index) => `  ${pc.dim(`${index + 1}. ${title}`)}\n  ${pc.cyan(text)}`,
  )
  return [
    '',
    `  ${pc.bold(pc.green('Portcullis is up'))}`,
    '',
    ...rows.map(show),
    '',
    ...admin.map(show),
    '',
    `  ${pc.bold('The story in four commands')}, from ${quoted(checkout)}`,
    '',
    steps.join('\n\n'),
    '',
    `  ${pc.dim('Ctrl-C stops everything; identities and tokens are kept.')}`,
    '',
  ].join('\n')
}

/** Returns the path relative to the checkout if it is inside, otherwise unchanged. */
function shortest(path: string): string {
  const inside = relative(checkout, path)
  return inside.startsWith('..') ? path : inside
}

/** Quotes the word if a shell would change it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
