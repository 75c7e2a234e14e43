import type { Aggregator } from 'prom-client'

/** A metric, as Prometheus and docs/metrics.md show it. */
export interface Family {
  /** Begins with `portcullis_`; ends with the unit, and with `_total` for a counter. */
  name: string
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  /** Each label with its possible values, which must be few: no name, id or token. */
  labels?: Readonly<Record<string, string>>
  /** How the values of several workers become one. Default: their sum. */
  ofWorkers?: Aggregator
}
