import { ClientInfo } from '@portcullis/protocol'
import { TypeCompiler } from '@sinclair/typebox/compiler'

const clientInfo = TypeCompiler.Compile(ClientInfo)

/** Reads the JSON that a node wrote about a client; returns undefined when it is malformed. */
export function readClientInfo(json: string): ClientInfo | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return clientInfo.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}
