import t from 'tap'
import { Stage } from './stage.js'

t.test('the latest is stopped first, each once', async (t) => {
  const stopped: string[] = []
  const stage = new Stage()
  await stage.add(() => void stopped.push('redis'))
  await stage.add(() => void stopped.push('auth'))
  await Promise.all([stage.close(), stage.close()])
  t.same(stopped, ['auth', 'redis'])
})

t.test('one that cannot be stopped does not keep the others', async (t) => {
  const stopped: string[] = []
  const stage = new Stage()
  await stage.add(() => void stopped.push('redis'))
  await stage.add(() => Promise.reject(new Error('stuck')))
  await t.rejects(stage.close(), { errors: [{ message: 'stuck' }] })
  t.same(stopped, ['redis'])
})

t.test('what starts after the close is stopped at once', async (t) => {
  const stopped: string[] = []
  const stage = new Stage()
  await stage.close()
  await t.rejects(
    stage.add(() => void stopped.push('late')),
    { message: 'interrupted' },
  )
  t.same(stopped, ['late'])
})
