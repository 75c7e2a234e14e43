/** Runs `work` and shows people that it goes on, under this title. bootstrap.js has the real one. */
export type Step = <T>(title: string, work: () => Promise<T>) => Promise<T>
