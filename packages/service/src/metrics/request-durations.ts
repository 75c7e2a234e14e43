import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { Durations } from './durations.js'
import type { LabelValues } from './instruments.js'

/** Durations of one method of one route by the first digit of the status. */
interface Series {
  readonly method: string
  readonly route: string
  readonly byClass: (Durations | undefined)[]
}

/**
 * Measures the requests of every route that is registered from now on, and those to unknown paths. Returns a
 * function that reads the durations by method, route and class of status.
 */
export function measureRequests(
  app: FastifyInstance,
): () => Iterable<readonly [LabelValues, Durations]> {
  const all = new Map<string, Series>()
  const seriesOf = (method: string, route: string): Series => {
    const key = `${method} ${route}`
    const series = all.get(key) ?? { method, route, byClass: [] }
    all.set(key, series)
    return series
  }
  const unknown = seriesOf('any', 'none')
  app.addHook('onRoute', (route) => measureRoute(route, seriesOf))
  // Requests to unknown paths have no route; Fastify runs the hooks of the app for them.
  app.addHook('onResponse', (request, reply, done) => {
    if (request.is404) {
      observe(unknown, reply)
    }
    done()
  })
  return () =>
    [...all.values()].flatMap(({ method, route, byClass }) =>
      byClass.flatMap((durations, digit) =>
        durations === undefined ? [] : [[[method, route, `${digit}xx`], durations] as const],
      ),
    )
}

type MeasuredRoute = Pick<RouteOptions, 'method' | 'url' | 'onResponse'>

function measureRoute(
  route: MeasuredRoute,
  seriesOf: (method: string, route: string) => Series,
): void {
  const byMethod = new Map(
    [route.method].flat().map((method) => [method, seriesOf(method, route.url)] as const),
  )
  route.onResponse = [
    ...[route.onResponse ?? []].flat(),
    (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      const series = byMethod.get(request.method)
      if (series !== undefined) {
        observe(series, reply)
      }
      done()
    },
  ]
}

function observe({ byClass }: Series, reply: FastifyReply): void {
  const digit = Math.floor(reply.statusCode / 100)
  let durations = byClass[digit]
  if (durations === undefined) {
    durations = new Durations()
    byClass[digit] = durations
  }
  durations.observe(reply.elapsedTime)
}
