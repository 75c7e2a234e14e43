/** The part of a tap test that this package uses, so that callers do not need tap. */
export interface Teardown {
  teardown(stop: () => unknown): void
}
