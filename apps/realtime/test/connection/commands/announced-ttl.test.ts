import t from 'tap'
import { announcedTtl } from '../../../src/connection/commands/announced-ttl.js'

t.test('announces a ttl that leaves time to refresh', async (t) => {
  const now = 1_000_000
  t.equal(announcedTtl(now + 3_600_000, now), 3590)
  t.equal(announcedTtl(now + 50_000, now), 45)
  t.equal(announcedTtl(now + 1000, now), 1, 'at least one second')
  t.equal(announcedTtl(now - 5000, now), 1)
})
