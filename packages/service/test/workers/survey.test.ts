import t from 'tap'
import type { Topic } from '../../src/workers/messages.js'
import { Survey } from '../../src/workers/survey.js'

/** Returns a worker that notes the questions it gets. */
function worker(number: number, serving = true) {
  const questions: { id: number; topic: Topic }[] = []
  return {
    number,
    serving,
    questions,
    question: (id: number, topic: Topic) => questions.push({ id, topic }),
  }
}

t.test('returns a report of each worker, in order', async (t) => {
  const survey = new Survey(60_000)
  const [first, second] = [worker(1), worker(2)]
  const asked = survey.ask('health', [first, second])
  const [question = { id: 0, topic: 'metrics' }] = first.questions
  t.equal(question.topic, 'health')
  survey.reported(question.id, 2, { failure: 'broken' })
  survey.reported(question.id, 2, { failure: 'a second report counts no more' })
  survey.reported(question.id + 1, 1, { failure: 'nor does a report of another question' })
  survey.reported(question.id, 1, {})
  t.same(await asked, [
    { worker: 1, report: {} },
    { worker: 2, report: { failure: 'broken' } },
  ])
})

t.test('does not ask a worker that starts, and forgets one that has ended', async (t) => {
  const survey = new Survey(60_000)
  const [first, second] = [worker(1), worker(2, false)]
  const asked = survey.ask('readiness', [first, second])
  t.same(second.questions, [])
  survey.ended(1)
  t.same(await asked, [{ worker: 2, missing: 'starting' }])
  t.same(await survey.ask('readiness', []), [])
})

t.test('waits for a limited time', async (t) => {
  const survey = new Survey(1)
  const [first, second] = [worker(1), worker(2)]
  const asked = survey.ask('metrics', [first, second])
  survey.reported(first.questions[0]?.id ?? 0, 1, { metrics: [] })
  t.same(await asked, [
    { worker: 1, report: { metrics: [] } },
    { worker: 2, missing: 'no answer' },
  ])
})
