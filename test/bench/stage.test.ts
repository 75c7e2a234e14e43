import t from 'tap'
import { Stage } from './stage.js'

t.test('stops everything once, the latest first', async (t) => {
  const stopped: string[] = []
  const stage = new Stage()
  await stage.add(() => void stopped.push('redis'))
  await stage.add(() => void stopped.push('auth'))
  await Promise.all([stage.close(), stage.close()])
  t.same(stopped, ['auth', 'redis'])
})

t.test('stops the others when one fails', async (t) => {
  const stopped: string[] = []
  const stage = new Stage()
  await stage.add(() => void stopped.push('redis'))
  await stage.add(() => Promise.reject(new Error('stuck')))
  await t.rejects(stage.close(), { errors: [{ message: 'stuck' }] })
  t.same(stopped, ['redis'])
})

t.test('stops at once what is added after the close', async (t) => {
  const stopped: string[] = []
  const stage = new Stage()
  await stage.close()
  await t.rejects(
    stage.add(() => void stopped.push('late')),
    { message: 'interrupted' },
  )
  t.same(stopped, ['late'])
})
