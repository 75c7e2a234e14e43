import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { readScript } from '../src/read-script.js'

t.test('replaces an include line with the text of the file, once', async (t) => {
  const folder = t.testdir({
    scripts: {
      'main.lua': [
        '-- main',
        '--- @include "../shared/b.lua"',
        '--- @include "../shared/a.lua"',
        'return a + b',
      ].join('\n'),
    },
    shared: {
      'a.lua': 'local a = 1',
      'b.lua': '--- @include "a.lua"\nlocal b = a + 1',
    },
  })
  t.equal(
    readScript(pathToFileURL(join(folder, 'scripts/main.lua'))),
    '-- main\nlocal a = 1\nlocal b = a + 1\n\nreturn a + b',
  )
})

t.test('does not change "$" and other lines of an included file', async (t) => {
  const folder = t.testdir({
    'main.lua': '--- @include "match.lua"\n-- @include "none.lua"',
    'match.lua': "string.match(text, '^(%d+)$&$1$')",
  })
  t.equal(
    readScript(pathToFileURL(join(folder, 'main.lua'))),
    'string.match(text, \'^(%d+)$&$1$\')\n-- @include "none.lua"',
  )
})

t.test('an include that does not exist is an error that names both files', async (t) => {
  const folder = t.testdir({ 'main.lua': '--- @include "lua/none.lua"' })
  t.throws(() => readScript(pathToFileURL(join(folder, 'main.lua'))), {
    name: 'ScriptIncludeError',
    code: 'REDIS_SCRIPT_INCLUDE',
    message: /main\.lua includes "lua\/none\.lua", but \S*lua\/none\.lua cannot be read/,
    cause: { code: 'ENOENT' },
  })
})

t.test('files that include each other are an error that shows the circle', async (t) => {
  const folder = t.testdir({
    'main.lua': '--- @include "a.lua"',
    'a.lua': '--- @include "b.lua"',
    'b.lua': '--- @include "a.lua"',
  })
  t.throws(() => readScript(pathToFileURL(join(folder, 'main.lua'))), {
    code: 'REDIS_SCRIPT_INCLUDE',
    message: /in a circle: \S*a\.lua -> \S*b\.lua -> \S*a\.lua;/,
  })
  const self = t.testdir({ 'self.lua': '--- @include "./self.lua"' })
  t.throws(() => readScript(pathToFileURL(join(self, 'self.lua'))), {
    code: 'REDIS_SCRIPT_INCLUDE',
  })
})
