import type { Family } from './family.js'

export type { Family }

/** The metrics of every service. */
export const serviceFamilies = {
  buildInfo: {
    name: 'portcullis_build_info',
    type: 'gauge',
    help: 'Always 1; the labels name the running build',
    labels: { service: '`auth` or `realtime`', version: 'one', node: 'the version of Node, one' },
    ofWorkers: 'max',
  },
  workers: {
    name: 'portcullis_workers',
    type: 'gauge',
    help: 'Processes of this service whose metrics are included',
  },
  requestDuration: {
    name: 'portcullis_http_request_duration_seconds',
    type: 'histogram',
    help: 'Time from the head of an HTTP request to the end of its response; upgrades that succeed are not included',
    labels: {
      method: 'the methods of the route',
      route: "the routes' patterns, such as `/v1/tokens/:jti`; `none` for unknown paths",
      status: '`1xx` to `5xx`',
    },
  },
} as const satisfies Record<string, Family>
