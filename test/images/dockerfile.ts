/** A step of a stage: its instruction in capitals, and the rest of the line. */
export interface Step {
  instruction: string
  rest: string
}

/** A stage of a Dockerfile. */
export interface Stage {
  name: string
  /** The name of an earlier stage, or an image. */
  base: string
  steps: readonly Step[]
}

/**
 * Returns the stages of a Dockerfile, in order. Arguments before the first stage have their defaults.
 *
 * @throws Error when a stage has no name
 */
export function parseDockerfile(text: string): readonly Stage[] {
  const defaults = new Map<string, string>()
  const stages: { name: string; base: string; steps: Step[] }[] = []
  for (const line of logicalLines(text)) {
    const [, instruction = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (instruction === 'FROM') {
      const [, base = '', name] = /^(\S+) AS (\S+)$/.exec(rest) ?? []
      if (name === undefined) {
        throw new Error(`a stage without a name: ${line}`)
      }
      const image = base.replace(/^\$\{(\w+)\}$/, (_, argument: string) => {
        return defaults.get(argument) ?? ''
      })
      stages.push({ name, base: image, steps: [] })
      continue
    }
    const stage = stages.at(-1)
    if (stage !== undefined) {
      stage.steps.push({ instruction, rest })
    } else if (instruction === 'ARG') {
      const [name = '', value = ''] = rest.split('=')
      defaults.set(name, value)
    }
  }
  return stages
}

function logicalLines(text: string): string[] {
  return text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
}

/**
 * Returns a function that tells whether a path of the build context, relative to its root, is sent to the
 * builder. The last pattern that matches the path, or a folder above it, decides.
 */
export function parseIgnoreFile(text: string): (path: string) => boolean {
  const patterns = text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const kept = line.startsWith('!')
      return { kept, expression: toExpression(kept ? line.slice(1) : line) }
    })
  return (path) => patterns.findLast(({ expression }) => expression.test(path))?.kept ?? true
}

function toExpression(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**/', '\0')
    .replaceAll('**', '.*')
    .replaceAll(/(?<!\.)\*/g, '[^/]*')
    .replaceAll('\0', '(?:.*/)?')
  return new RegExp(`^${source}(?:/.*)?$`)
}
