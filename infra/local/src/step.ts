/** Runs `work`, and shows its title and progress. bootstrap.js implements it. */
export type Step = <T>(title: string, work: () => Promise<T>) => Promise<T>
