import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../fixtures/run.js'

t.test('what fits the last word', async (t) => {
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
      ['--help', '--json', '--profile', '--auth', '--realtime'],
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
    [['token', 'issue', '--out', 'x'], [':files']],
    [['revoke', '--token-file=x'], [':files']],
    [['revoke', '--subject', 're'], []],
    [['revoke', '--', '--'], []],
    [['publish', 'profile', 'us'], []],
    [['comple'], ['completion']],
    [['fly', 'aw'], []],
    [['fly'], []],
  ]
  for (const [words, expected] of cases) t.same(await complete(...words), expected, words.join(' '))
  t.ok((await complete('')).includes('identity'), 'all commands')
  writeFileSync(join(configDir, 'config.json'), 'broken')
  t.same(await complete('profile', 'use', ''), [], 'no error while somebody types')
})
