import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parseDockerfile, parseIgnoreFile, type Stage } from './dockerfile.js'

const run = promisify(execFile)
const checkout = fileURLToPath(new URL('../../', import.meta.url))
const dockerfile = join(checkout, 'infra/images/Dockerfile')

/** What an image holds, in a folder, and how it starts. */
export interface Image {
  /** Absolute path of the folder that stands for the image's `/`. */
  readonly root: string
  /** Absolute path in the image. */
  readonly workdir: string
  readonly env: Readonly<Record<string, string>>
  /** User and group, as `1000:1000`. */
  readonly user: string
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly healthCheck: readonly string[]
}

const empty: Omit<Image, 'root'> = {
  workdir: '/',
  env: {},
  user: '',
  entrypoint: [],
  command: [],
  healthCheck: [],
}

/**
 * Performs the steps of the Dockerfile in subfolders of `dir`, without a container engine. Base images
 * stand for empty folders.
 */
export async function buildImages(dir: string): Promise<ReadonlyMap<string, Image>> {
  const images = new Map<string, Image>()
  for (const stage of parseDockerfile(readFileSync(dockerfile, 'utf8'))) {
    images.set(stage.name, await buildStage(dir, stage, images))
  }
  return images
}

async function buildStage(
  dir: string,
  { name, base, steps }: Stage,
  images: ReadonlyMap<string, Image>,
): Promise<Image> {
  const root = join(dir, name)
  const earlier = images.get(base)
  mkdirSync(root)
  if (earlier !== undefined) {
    cpSync(earlier.root, root, { recursive: true })
  }
  let image: Image = { ...empty, ...earlier, root }
  for (const { instruction, rest } of steps) {
    switch (instruction) {
      case 'WORKDIR':
        image = { ...image, workdir: rest }
        mkdirSync(join(root, rest), { recursive: true })
        break
      case 'COPY':
        copy(image, rest, images)
        break
      case 'RUN':
        await run('sh', ['-ec', rest.replace(/^(?:--\S+ )+/, '')], {
          cwd: join(root, image.workdir),
          maxBuffer: 1 << 26,
        })
        break
      case 'ENV':
        image = { ...image, env: { ...image.env, ...variables(rest) } }
        break
      case 'USER':
        image = { ...image, user: rest }
        break
      case 'ENTRYPOINT':
        // A new entry point drops the command of the base image.
        image = { ...image, entrypoint: words(rest), command: [] }
        break
      case 'CMD':
        image = { ...image, command: words(rest) }
        break
      case 'HEALTHCHECK':
        image = { ...image, healthCheck: words(rest.slice(rest.indexOf('['))) }
        break
      case 'EXPOSE':
        break
      default:
        throw new Error(`the test does not know ${instruction}`)
    }
  }
  return image
}

/** Performs `COPY [--from=stage] [--chown=…] source destination`. */
function copy(image: Image, rest: string, images: ReadonlyMap<string, Image>): void {
  const options = rest.split(' ').filter((word) => word.startsWith('--'))
  const [source = '', target = ''] = rest.split(' ').filter((word) => !word.startsWith('--'))
  const stage = options.find((word) => word.startsWith('--from='))?.slice('--from='.length)
  const path = target.startsWith('/') ? target : join(image.workdir, target)
  const to = join(image.root, path)
  if (stage !== undefined) {
    cpSync(join(images.get(stage)?.root ?? '', source), to, { recursive: true })
    return
  }
  const isSent = parseIgnoreFile(readFileSync(`${dockerfile}.dockerignore`, 'utf8'))
  const from = join(checkout, source)
  if (!statSync(from).isDirectory()) {
    if (!isSent(source)) {
      throw new Error(`${source} is not part of the build context`)
    }
    cpSync(from, to)
    return
  }
  for (const file of filesBelow(from)) {
    if (isSent(relative(checkout, file))) {
      const place = join(to, relative(from, file))
      mkdirSync(dirname(place), { recursive: true })
      cpSync(file, place)
    }
  }
}

/** Returns the absolute paths of all files below a folder, without those of git. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      return entry.name === '.git' ? [] : filesBelow(path)
    }
    return entry.isFile() && existsSync(path) ? [path] : []
  })
}

function variables(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(' ').map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

/** Reads a JSON array of strings. */
function words(text: string): readonly string[] {
  const value: unknown = JSON.parse(text.replace(/^CMD /, ''))
  if (!Array.isArray(value) || !value.every((word) => typeof word === 'string')) {
    throw new Error(`not the form with a list of words: ${text}`)
  }
  return value
}
