/** Reading request bodies, within bounds. */
import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { badRequest, HttpError } from './http-error.ts'
import { JSON_BODY_BYTES_MAX, PING_BODY_BYTES_KEPT, PING_BODY_BYTES_READ } from './limits.ts'

/** Reads a JSON body and checks its form. Throws an `HttpError`: 413, 415 or 400 with what is wrong. */
export async function readJson<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new HttpError(415, 'not-json', 'send JSON, with Content-Type: application/json')
  }
  const bytes = await collect(request, JSON_BODY_BYTES_MAX)
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw badRequest('bad-json', 'the body is not JSON')
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = issue?.path.join('.') ?? ''
  throw badRequest('bad-body', `${path === '' ? 'the body' : path}: ${issue?.message ?? 'not what is expected'}`)
}

async function collect(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.byteLength
    if (length > bytesMax) throw new HttpError(413, 'too-large', `at most ${bytesMax} bytes are read`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The start of a ping's body as text; the rest is read and dropped. Throws an `HttpError` 413 when it does not end. */
export async function readPingBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let kept = 0
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.byteLength
    if (length > PING_BODY_BYTES_READ) throw new HttpError(413, 'too-large', 'this body is too large for a ping')
    const part = chunk.subarray(0, PING_BODY_BYTES_KEPT - kept)
    kept += part.byteLength
    if (part.byteLength > 0) chunks.push(part)
  }
  // A character that the cut split in two becomes one replacement character.
  return Buffer.concat(chunks).toString('utf8')
}
