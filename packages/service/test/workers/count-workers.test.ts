import { availableParallelism } from 'node:os'
import t from 'tap'
import { countWorkers, maxWorkers } from '../../src/workers/count-workers.js'

t.test('accepts a number of processes, or auto', async (t) => {
  t.equal(countWorkers('1'), 1)
  t.equal(countWorkers(`${maxWorkers}`), maxWorkers)
  t.equal(countWorkers('auto'), Math.min(availableParallelism(), maxWorkers))
})

t.test('rejects everything else, and says what is allowed', async (t) => {
  for (const wrong of ['0', '65', '-1', '1.5', '02', '1e1', 'all', '']) {
    t.throws(() => countWorkers(wrong), {
      message: /WORKERS must be a whole number from 1 to 64, or auto$/,
    })
  }
})
