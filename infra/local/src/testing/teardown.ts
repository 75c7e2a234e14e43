/** What of a tap test we need; so that this package can be used without tap. */
export interface Teardown {
  teardown(stop: () => unknown): void
}
