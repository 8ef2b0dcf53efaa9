/**
 * One HTTP exchange with an endpoint that may be hostile.
 *
 * Bounded in time (by the signal), headers, body, decompression and redirects. Every hop is resolved and refused by
 * `addresses.ts`; a redirect to another host, or from https to http, is not followed unless told, and secrets of the
 * config (headers, user and password of the URL) never go to another origin.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { guardedLookup, isRefusedAddress, REFUSED_ADDRESS } from './addresses.ts'
import { BODY_BYTES_MAX, HEADER_BYTES_MAX, REDIRECTS_MAX } from './limits.ts'

/** What is asked. */
export interface HttpQuestion {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Which redirects are followed. */
  readonly redirects: 'none' | 'same-host' | 'any'
  /** False takes any certificate. */
  readonly verifyTls: boolean
}

/** What came back from the last hop. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Decoded bytes, at most `BODY_BYTES_MAX`; absent when they could not be decompressed within that. */
  readonly body?: Buffer
  /** Bytes of the body as sent, as far as they were read. */
  readonly bodyBytes: number
  /** True when the body went on after what was read. */
  readonly isCut: boolean
  readonly redirects: number
  /** Set when a redirect was not followed: why, for a person. */
  readonly stoppedAt?: string
  /** When the certificate runs out, Unix milliseconds; https only. */
  readonly certificateEndsMs?: number
}

/** Asks, follows what may be followed, and reads the answer. Rejects with what the socket or the parser said. */
export async function exchangeHttp(question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  const first = new URL(question.url)
  let url = first
  let method = question.method
  let body = question.body
  for (let redirects = 0; ; redirects += 1) {
    const mayHaveSecrets = isSameOrigin(first, url)
    const message = await ask(url, { ...question, method }, mayHaveSecrets ? body : undefined, mayHaveSecrets, signal)
    const status = message.statusCode ?? 0
    const next = redirectTarget(message, url)
    const stoppedAt = next === undefined ? undefined : reasonToStop(question, first, url, next, redirects)
    if (next === undefined || stoppedAt !== undefined) {
      const answer = await readAnswer(message, signal)
      return { ...answer, status, redirects, ...(stoppedAt === undefined ? {} : { stoppedAt }) }
    }
    message.destroy()
    if (status === 303 || ((status === 301 || status === 302) && method === 'POST')) {
      method = method === 'HEAD' ? 'HEAD' : 'GET'
      body = undefined
    }
    url = next
  }
}

function reasonToStop(question: HttpQuestion, first: URL, url: URL, next: URL, redirects: number): string | undefined {
  if (question.redirects === 'none') return 'a redirect, not followed'
  if (next.protocol !== 'http:' && next.protocol !== 'https:') return 'a redirect to another protocol, not followed'
  if (redirects >= REDIRECTS_MAX) return `more than ${REDIRECTS_MAX} redirects`
  if (question.redirects === 'any') return undefined
  if (next.hostname !== first.hostname) return 'a redirect to another host, not followed'
  if (url.protocol === 'https:' && next.protocol === 'http:') return 'a redirect from https to http, not followed'
  return undefined
}

function redirectTarget(message: IncomingMessage, url: URL): URL | undefined {
  const location = message.headers.location
  if (location === undefined || ![301, 302, 303, 307, 308].includes(message.statusCode ?? 0)) return undefined
  return URL.canParse(location, url.href) ? new URL(location, url) : undefined
}

/** The same origin, or its upgrade from http to https on the standard ports. */
function isSameOrigin(first: URL, url: URL): boolean {
  if (first.origin === url.origin) return true
  const isUpgrade = first.protocol === 'http:' && url.protocol === 'https:' && first.port === '' && url.port === ''
  return isUpgrade && first.hostname === url.hostname
}

function ask(
  url: URL,
  question: HttpQuestion,
  body: string | undefined,
  mayHaveSecrets: boolean,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const host = url.hostname.replace(/^\[|\]$/gu, '')
  if (isIP(host) !== 0 && isRefusedAddress(host)) {
    reject(Object.assign(new Error('refused address'), { code: REFUSED_ADDRESS }))
    return promise
  }
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const request = send({
    protocol: url.protocol,
    host,
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    method: question.method,
    headers: {
      'user-agent': 'muster',
      accept: '*/*',
      'accept-encoding': 'identity',
      ...(mayHaveSecrets ? question.headers : {}),
    },
    ...(mayHaveSecrets && url.username !== '' ? { auth: credentials(url) } : {}),
    agent: false,
    lookup: guardedLookup,
    maxHeaderSize: HEADER_BYTES_MAX,
    rejectUnauthorized: question.verifyTls,
    signal,
  })
  request.once('response', resolve)
  request.on('error', reject)
  request.end(body)
  return promise
}

function credentials(url: URL): string {
  return `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
}

type AnswerBody = Pick<HttpAnswer, 'headers' | 'body' | 'bodyBytes' | 'isCut' | 'certificateEndsMs'>

async function readAnswer(message: IncomingMessage, signal: AbortSignal): Promise<AnswerBody> {
  const certificateEndsMs = certificateEnd(message)
  const chunks: Buffer[] = []
  let bodyBytes = 0
  let isCut = false
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      signal.throwIfAborted()
      const room = BODY_BYTES_MAX - bodyBytes
      chunks.push(chunk.subarray(0, room))
      bodyBytes += Math.min(chunk.byteLength, room)
      if (chunk.byteLength > room) {
        isCut = true
        break
      }
    }
  } finally {
    message.destroy()
  }
  const body = await decode(Buffer.concat(chunks), message.headers['content-encoding'])
  return {
    headers: message.headers,
    bodyBytes,
    isCut,
    ...(body === undefined ? {} : { body }),
    ...(certificateEndsMs === undefined ? {} : { certificateEndsMs }),
  }
}

const decoders: Readonly<Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
}

/** A server may compress although it was asked not to. A bomb, a broken or an unknown coding gives no body. */
async function decode(bytes: Buffer, coding: string | undefined): Promise<Buffer | undefined> {
  if (coding === undefined || coding === 'identity' || coding === '') return bytes
  const decoder = Object.hasOwn(decoders, coding.toLowerCase()) ? decoders[coding.toLowerCase()] : undefined
  if (decoder === undefined) return undefined
  return decoder(bytes, { maxOutputLength: BODY_BYTES_MAX }).catch(() => undefined)
}

function certificateEnd(message: IncomingMessage): number | undefined {
  if (!(message.socket instanceof TLSSocket)) return undefined
  const ends = Date.parse(message.socket.getPeerCertificate().valid_to ?? '')
  return Number.isFinite(ends) ? ends : undefined
}
