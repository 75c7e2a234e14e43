import { type Aggregator, Counter, Gauge, type Registry } from 'prom-client'

/** Makes metrics whose values are read when they are scraped. */
export interface Instruments {
  /** @param ofWorkers - how the values of several workers become one; by default their sum */
  gauge(name: string, help: string, value: () => number, ofWorkers?: Aggregator): void
  /** A gauge with one label. */
  gauges<Label extends string>(
    name: string,
    help: string,
    label: Label,
    values: () => Iterable<readonly [string, number]>,
  ): void
  counter(name: string, help: string, value: () => number): void
  /** A counter with one label. */
  labelled<Label extends string>(
    name: string,
    help: string,
    label: Label,
    values: () => Iterable<readonly [string | number, number]>,
  ): void
}

export function instrumentsOf(registry: Registry): Instruments {
  const registers = [registry]
  return {
    gauge(name, help, value, ofWorkers = 'sum') {
      new Gauge({
        name,
        help,
        aggregator: ofWorkers,
        registers,
        collect() {
          this.set(value())
        },
      })
    },
    gauges<Label extends string>(
      name: string,
      help: string,
      label: Label,
      values: () => Iterable<readonly [string, number]>,
    ) {
      new Gauge<Label>({
        name,
        help,
        aggregator: 'sum',
        registers,
        labelNames: [label],
        collect() {
          for (const [key, value] of values()) {
            this.labels(key).set(value)
          }
        },
      })
    },
    counter(name, help, value) {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset()
          this.inc(value())
        },
      })
    },
    labelled<Label extends string>(
      name: string,
      help: string,
      label: Label,
      values: () => Iterable<readonly [string | number, number]>,
    ) {
      new Counter<Label>({
        name,
        help,
        registers,
        labelNames: [label],
        collect() {
          this.reset()
          for (const [key, value] of values()) {
            this.labels(String(key)).inc(value)
          }
        },
      })
    },
  }
}
