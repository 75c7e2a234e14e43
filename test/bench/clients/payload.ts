/** Found in every published payload, whatever the protocol puts around it. */
const mark = '"bench":'

/** A JSON payload of exactly `bytes` bytes. */
export function payload(number: number, bytes: number): string {
  const empty = `{${mark}${number},"text":""}`
  if (empty.length > bytes) {
    throw new RangeError(`a payload needs at least ${empty.length} bytes`)
  }
  return `{${mark}${number},"text":"${'x'.repeat(bytes - empty.length)}"}`
}

/** The highest number among the payloads of a frame; 0 when it carries none. */
export function highestPayload(frame: Buffer): number {
  let highest = 0
  for (let at = frame.indexOf(mark); at !== -1; at = frame.indexOf(mark, at + mark.length)) {
    const digits = frame.subarray(at + mark.length, at + mark.length + 16).toString('latin1')
    highest = Math.max(highest, Number.parseInt(digits, 10))
  }
  return highest
}

/** How many payloads a frame carries: a server may put several messages into one. */
export function countPayloads(frame: Buffer): number {
  let count = 0
  for (let at = frame.indexOf(mark); at !== -1; at = frame.indexOf(mark, at + mark.length)) {
    count += 1
  }
  return count
}
