import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { run } from '../fixtures/run.js'
import { bin } from '../fixtures/run-bin.js'

const exec = promisify(execFile)
const installed = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0

/** A home directory with the real command in PATH, two profiles, two files, and the script. */
async function home(t: Test, shell: string) {
  const cwd = t.testdir({ 'ada.token': '', bin: {}, tokens: {} })
  const { stdout: script } = await run(['completion', shell], { cwd })
  writeFileSync(join(cwd, 'script'), script)
  const command = join(cwd, 'bin', 'portcullis')
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`)
  chmodSync(command, 0o755)
  const profile = {
    auth: 'http://a',
    realtime: [],
    identity: 'i',
    registrationCode: { prompt: true },
  }
  const config = JSON.stringify({ profiles: { prod: profile, preview: profile } })
  mkdirSync(join(cwd, 'config', 'portcullis'), { recursive: true })
  writeFileSync(join(cwd, 'config', 'portcullis', 'config.json'), config)
  const env = {
    PATH: `${join(cwd, 'bin')}${delimiter}${process.env['PATH']}`,
    HOME: cwd,
    XDG_CONFIG_HOME: join(cwd, 'config'),
    TERM: 'dumb',
  }
  const sh = async (args: readonly string[]) => {
    const { stdout } = await exec(shell, args, { cwd, env })
    return stdout.split('\n').filter((line) => line !== '')
  }
  return { sh, script }
}

t.test('bash completes', async (t) => {
  const { sh } = await home(t, 'bash')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: bash syntax
  const reply = '"${COMPREPLY[@]}"'
  // As bash does at Tab: sets these variables and calls the function.
  const tab = (...words: string[]) =>
    sh([
      '-c',
      'source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); $(complete -p portcullis |' +
        ' sed "s/.*-F \\([^ ]*\\).*/\\1/") 2>/dev/null; printf "%s\\n" ' +
        reply,
      'bash',
      'portcullis',
      ...words,
    ])
  const cases: [string[], string[]][] = [
    [['revo'], ['revoke', 'revocation']],
    [['nodes', '--profile', '=', 'pre'], ['preview']],
    [
      ['token', 'issue', '--scope', 'tokens', ':', 're'],
      ['read', 'revoke'],
    ],
    [
      ['revoke', '--token-file', ''],
      ['ada.token', 'bin', 'config', 'script', 'tokens'],
    ],
  ]
  const found = await Promise.all(cases.map(([words]) => tab(...words)))
  for (const [index, [words, expected]] of cases.entries()) {
    t.same(found[index]?.toSorted(), expected.toSorted(), words.join(' '))
  }
})

t.test('zsh completes', async (t) => {
  const { sh, script } = await home(t, 'zsh')
  t.match(script, /^#compdef portcullis\n[\s\S]*compdef _portcullis portcullis\nfi\n$/)
  if (!installed('zsh')) {
    t.comment('zsh is not installed: only the script is checked')
    return
  }
  // Calls the widget as zsh does; stubs of zsh's functions print their arguments.
  const stubs =
    // biome-ignore lint/suspicious/noTemplateCurlyInString: zsh syntax
    'compdef() { :; }; _describe() { print -l -- ${(P)4%%:*} ${(P)4}; }; compadd() { print -l -- "${@[4,-1]}"; };'
  const tab = (...words: string[]) =>
    sh([
      '-fc',
      `${stubs} source ./script; words=(portcullis "$@"); CURRENT=$#words; _portcullis`,
      'zsh',
      ...words,
    ])
  const [commands, scopes] = await Promise.all([
    tab('revo'),
    tab('token', 'issue', '--scope', 'pub'),
  ])
  t.match(commands?.join('\n'), /revoke:revoke tokens, close/)
  t.match(commands?.join('\n'), /revocation:receipts of/)
  t.same(scopes, ['publish:'])
})

t.test('fish completes', async (t) => {
  const { sh, script } = await home(t, 'fish')
  t.match(script, /\ncomplete -c portcullis -f -a '\(__portcullis_complete\)'\n$/)
  if (!installed('fish')) {
    t.comment('fish is not installed: only the script is checked')
    return
  }
  const tab = (line: string) => sh(['--no-config', '-c', `source ./script; complete -C '${line}'`])
  const [profiles, files] = await Promise.all([
    tab('portcullis nodes --profile=pre'),
    tab('portcullis revoke --token-file ad'),
  ])
  t.same(profiles, ['--profile=preview\ti at http://a'])
  t.equal(files?.length, 1)
  t.match(files?.[0], /^ada\.token/)
})

t.test('completes commands, options and known values', async (t) => {
  const cwd = t.testdir()
  const configDir = join(cwd, 'config')
  mkdirSync(configDir)
  const profile = {
    auth: 'http://a',
    realtime: [],
    identity: 'i',
    registrationCode: { prompt: true },
  }
  const profiles = { prod: profile, preview: profile, test: profile }
  writeFileSync(join(configDir, 'config.json'), JSON.stringify({ profiles }))
  const complete = async (...words: string[]) => {
    const { code, stdout, stderr } = await run(['complete', '--', ...words], { cwd, configDir })
    t.equal(code, 0)
    t.equal(stderr, '')
    return stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t', 1)[0])
  }
  const cases: [string[], string[]][] = [
    [['rev'], ['revoke', 'revocation']],
    [['nodes', '--wa'], ['--watch']],
    [['--json', 'profile', 'us'], ['use']],
    [
      ['profile', 'use', 'pr'],
      ['prod', 'preview'],
    ],
    [
      ['profile', 'use', 'prod', ''],
      ['--help', '--version', '--json', '--profile', '--auth', '--realtime'],
    ],
    [['nodes', '--profile', 't'], ['test']],
    [['nodes', '--profile=pre'], ['--profile=preview']],
    [['nodes', '--profile', 'prod', '--js'], ['--json']],
    [['nodes', '--json', 'x', '--js'], ['--json']],
    [['completion', 'z'], ['zsh']],
    [['token', 'issue', '--scope', 'pu'], ['publish:']],
    [
      ['token', 'issue', '--scope', 'tokens:r'],
      ['tokens:read', 'tokens:revoke'],
    ],
    [
      ['audit', '--action', 'code.'],
      ['code.add', 'code.remove'],
    ],
    [['token', 'issue', '--out', 'x'], [':files']],
    [['revoke', '--token-file=x'], [':files']],
    [['revoke', '--subject', 're'], []],
    [['revoke', '--', '--'], []],
    [['publish', 'profile', 'us'], []],
    [['comple'], ['completion']],
    [['fly', 'aw'], []],
    [['fly'], []],
  ]
  for (const [words, expected] of cases) {
    t.same(await complete(...words), expected, words.join(' '))
  }
  t.ok((await complete('')).includes('identity'), 'all commands')
  writeFileSync(join(configDir, 'config.json'), 'broken')
  t.same(await complete('profile', 'use', ''), [], 'no error during completion')
})
