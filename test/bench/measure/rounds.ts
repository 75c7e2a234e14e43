/** One of the compared cases; `run` measures it once and returns its figure. */
export interface Contender<Figure> {
  name: string
  run: () => Promise<Figure>
}

/**
 * Runs all contenders in turn, `rounds` times, so that other load on the machine affects all alike.
 * Unless `warmUp` is false, a first round warms up (JIT, connections) and does not count. Each round
 * begins with another contender, so that the same one does not always follow the heaviest.
 */
export async function alternate<Figure>(
  contenders: readonly Contender<Figure>[],
  rounds: number,
  progress: (text: string) => void,
  { warmUp = true }: { warmUp?: boolean } = {},
): Promise<Map<string, Figure[]>> {
  const figures = new Map<string, Figure[]>(contenders.map(({ name }) => [name, []]))
  for (let round = warmUp ? 0 : 1; round <= rounds; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const contender = contenders[(turn + round) % contenders.length]
      if (contender === undefined) {
        continue
      }
      progress(`${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${contender.name}`)
      const figure = await contender.run()
      if (round > 0) {
        figures.get(contender.name)?.push(figure)
      }
    }
  }
  return figures
}
