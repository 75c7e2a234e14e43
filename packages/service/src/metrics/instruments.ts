import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Durations } from './durations.js'
import type { Family } from './family.js'

/** Values of a metric's labels, in the order of `Family.labels`. A single one needs no array. */
export type LabelValues = string | number | readonly string[]

/**
 * Registers metrics whose values are read at each scrape. Between scrapes they cost no more than the plain
 * numbers that they are read from.
 */
export class Instruments {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Registers a counter or a gauge without labels. */
  value(family: Family, read: () => number | Promise<number>): void {
    this.#add(family, async (set) => set([], await read()))
  }

  /** Registers a counter or a gauge with labels. */
  values(family: Family, read: () => Iterable<readonly [LabelValues, number]>): void {
    this.#add(family, async (set) => {
      for (const [labels, value] of read()) {
        set([labels].flat().map(String), value)
      }
    })
  }

  /** Registers a histogram. */
  durations(family: Family, read: () => Iterable<readonly [LabelValues, Durations]>): void {
    this.#registry.registerMetric(new DurationHistogram(family, read))
  }

  #add(
    family: Family,
    read: (set: (labels: readonly string[], value: number) => void) => Promise<void>,
  ): void {
    const common = commonOf(family)
    const registers = [this.#registry]
    if (family.type === 'counter') {
      new Counter({
        ...common,
        registers,
        async collect() {
          this.reset()
          await read((labels, value) => this.inc(labelsOf(family, labels), value))
        },
      })
    } else {
      new Gauge({
        ...common,
        registers,
        async collect() {
          this.reset()
          await read((labels, value) => this.set(labelsOf(family, labels), value))
        },
      })
    }
  }
}

/** A histogram whose buckets are read at each scrape. */
class DurationHistogram extends Histogram<string> {
  readonly #family: Family
  readonly #read: () => Iterable<readonly [LabelValues, Durations]>
  /** Describes the metric; its own `get` would call the methods below. */
  readonly #description: Histogram<string>

  constructor(family: Family, read: () => Iterable<readonly [LabelValues, Durations]>) {
    const options = { ...commonOf(family), registers: [] }
    super(options)
    this.#description = new Histogram(options)
    this.#family = family
    this.#read = read
  }

  override async get() {
    const values = [...this.#read()].flatMap(([labelValues, durations]) =>
      this.#valuesOf(labelsOf(this.#family, [labelValues].flat().map(String)), durations),
    )
    return { ...(await this.#description.get()), values }
  }

  /** prom-client calls this instead of `get` for the text format. */
  getForPromString() {
    return this.get()
  }

  #valuesOf(labels: Readonly<Record<string, string>>, durations: Durations) {
    const { name } = this.#family
    const counts = durations.cumulative()
    const buckets = counts.map((value, at) => ({
      metricName: `${name}_bucket`,
      labels: { le: durations.bounds[at] ?? '+Inf', ...labels },
      value,
    }))
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: durations.sum },
      { metricName: `${name}_count`, labels, value: counts.at(-1) ?? 0 },
    ]
  }
}

function commonOf({ name, help, labels = {}, ofWorkers = 'sum' }: Family) {
  return { name, help, labelNames: Object.keys(labels), aggregator: ofWorkers }
}

function labelsOf({ labels = {} }: Family, values: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.keys(labels).map((name, at) => [name, values[at] ?? '']))
}
