import type { Route } from '../route.js'

/** `GET /docs`: the description of this API, OpenAPI 3.1 as JSON. */
export const show: Route = async (app) => {
  app.get('/docs', { schema: { hide: true } }, async () => app.swagger())
}
