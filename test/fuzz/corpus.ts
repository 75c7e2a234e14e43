import { readdirSync, readFileSync } from 'node:fs'

/** One input of the corpus. Inputs found by fuzzing are added to the folder and tested in every run. */
export interface Input {
  name: string
  bytes: Buffer
}

/** Reads the corpus: plain messages in `json/`; hexadecimal, spaces and `#` comments in `protobuf/`. */
export function corpus(form: 'json' | 'protobuf'): Input[] {
  const folder = new URL(`corpus/${form}/`, import.meta.url)
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const content = readFileSync(new URL(name, folder))
      return {
        name: `${form}/${name}`,
        bytes: form === 'json' ? content : fromHex(String(content)),
      }
    })
}

function fromHex(text: string): Buffer {
  const digits = text.replaceAll(/#.*|\s/g, '')
  const bytes = Buffer.from(digits, 'hex')
  if (bytes.length * 2 !== digits.length) {
    throw new Error(`not hexadecimal: ${text}`)
  }
  return bytes
}
