import t from 'tap'
import { findLargeFolders, maxFiles } from '../folder-size.js'

const folder = (name: string, count: number, ending = 'ts') =>
  Array.from({ length: count }, (_, index) => `${name}/file-${index}.${ending}`)

t.test('finds folders with too many source files', async (t) => {
  t.same(findLargeFolders(folder('apps/a/src', maxFiles)), [])
  t.same(findLargeFolders(folder('apps/a/src', maxFiles + 1)), [
    { folder: 'apps/a/src', files: maxFiles + 1 },
  ])
})

t.test('counts sources of the folder itself', async (t) => {
  const files = [
    ...folder('a', maxFiles),
    ...folder('a/b', maxFiles, 'lua'),
    ...folder('a', 5, 'md'),
  ]
  t.same(findLargeFolders(files), [])
})
