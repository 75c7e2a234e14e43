import { readdirSync, readFileSync } from 'node:fs'

/** One input of the corpus. What was found by fuzzing is added to the folder, and tried ever after. */
export interface Input {
  name: string
  bytes: Buffer
}

/** `json/` has messages as they stand, `protobuf/` in hexadecimal, with blanks and `#` remarks. */
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
    throw new Error(`no hexadecimal: ${text}`)
  }
  return bytes
}
