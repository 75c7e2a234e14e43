import { chmodSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openState } from '../../src/state/state.js'

t.test('creates a secret once, readable by its owner only', async (t) => {
  const dir = join(t.testdir(), 'state')
  const secret = openState(dir).secret('admin.code')
  t.match(secret, /^[A-Za-z0-9_-]{43}$/, '256 bits')
  t.equal(openState(dir).secret('admin.code'), secret, 'kept')
  t.not(openState(dir).secret('other.code'), secret)
  t.equal(statSync(dir).mode & 0o777, 0o700)
  t.equal(statSync(join(dir, 'admin.code')).mode & 0o777, 0o600)
})

t.test('removes the access of others to the directory', async (t) => {
  const dir = t.testdir()
  chmodSync(dir, 0o755)
  openState(dir)
  t.equal(statSync(dir).mode & 0o777, 0o700)
})
