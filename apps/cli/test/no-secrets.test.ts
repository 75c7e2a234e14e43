import t from 'tap'
import { installation } from './fixtures/installation.js'
import { run } from './fixtures/run.js'

const jwt = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ'

t.test('a secret as an argument is refused, not sent and not shown', async (t) => {
  const { cwd, asked } = await installation(t, {})
  for (const args of [
    ['token', 'show', jwt],
    ['revoke', '--jti', jwt],
    ['publish', 'demo:x', `{"token":"${jwt}"}`],
    ['revoke', `--token=${jwt}`],
    ['nodes', '--registration-code', 'hunter2-hunter2'],
    ['nodes', '--code=hunter2-hunter2'],
  ]) {
    const { code, stdout, stderr } = await run(args, { cwd })
    t.equal(code, 2, args.slice(0, 2).join(' '))
    t.match(stderr, /no arguments?: .* history/)
    t.notMatch(stdout + stderr, /eyJ|hunter2/)
  }
  t.equal(asked.length, 0)
  const text = await run(['publish', 'demo:x', '--', '--token'], { cwd })
  t.equal(text.code, 1, 'text that only looks like an option is text')
})
