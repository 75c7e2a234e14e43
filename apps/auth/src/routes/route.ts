import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import '../wire/decorations.js'

/** A plugin with one route, whose schemas give its handler's types. */
export type Route = FastifyPluginAsyncTypebox
