/** Refuses a request: the reply is problem JSON with this status, code and detail. */
export class Refusal extends Error {
  readonly statusCode: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>
  constructor(
    statusCode: number,
    code: string,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail)
    this.name = 'Refusal'
    this.statusCode = statusCode
    this.code = code
    this.headers = headers
  }
}
