import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import '../wire/decorations.js'

/** A plugin of one route, whose handler is typed by its schemas. */
export type Route = FastifyPluginAsyncTypebox
