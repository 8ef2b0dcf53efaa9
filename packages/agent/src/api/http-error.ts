/** A request that is refused: status, stable code, and one line for a person. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** 400: the request itself is wrong. */
export function badRequest(code: string, message: string): HttpError {
  return new HttpError(400, code, message)
}

/** 404: nothing is called that. */
export function notFound(code: string, message: string): HttpError {
  return new HttpError(404, code, message)
}
