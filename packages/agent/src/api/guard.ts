/**
 * Who may ask what.
 *
 * A page in the owner's browser can reach loopback, so Host and Origin are checked on every request: a name that an
 * attacker's DNS points here is not in the list. Whatever changes anything needs the token; off loopback, reads do too.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { HttpError } from './http-error.ts'

/** What the checks are made against. */
export interface GuardOptions {
  readonly token: string
  /** Names besides `localhost` and addresses that this host may be called by. */
  readonly names: readonly string[]
  /** Listens on loopback only: then only loopback's names are good. */
  readonly isLoopback: boolean
  /** The port that is listened on. */
  readonly port: () => number
}

/** The checks of one server. Each throws an `HttpError` and says nothing when all is well. */
export interface Guard {
  /** Refuses a Host or an Origin that is not ours. Throws an `HttpError` 403. */
  checkPlace(request: IncomingMessage): void
  /** Throws an `HttpError` 401 without the token. */
  checkToken(request: IncomingMessage): void
  /** Reads: free on loopback, else with the token. */
  checkRead(request: IncomingMessage): void
  /** Pings: free on loopback, unless a browser sent them; else with the token. */
  checkPing(request: IncomingMessage): void
}

/** Makes the checks. */
export function createGuard(options: GuardOptions): Guard {
  const expected = digest(options.token)

  function isGoodName(name: string): boolean {
    if (name === 'localhost' || isLoopbackAddress(name)) return true
    return !options.isLoopback && (isIP(name) !== 0 || options.names.includes(name))
  }

  function isGoodPlace(text: string): boolean {
    const place = splitHost(text)
    return place !== undefined && place.port === options.port() && isGoodName(place.name)
  }

  const guard: Guard = {
    checkPlace({ headers }) {
      if (headers.host === undefined || !isGoodPlace(headers.host)) {
        throw new HttpError(403, 'bad-host', 'this name is not one of this agent: use 127.0.0.1 and its port')
      }
      const { origin } = headers
      if (origin !== undefined && !(origin.startsWith('http://') && isGoodPlace(origin.slice('http://'.length)))) {
        throw new HttpError(403, 'bad-origin', 'pages of other sites may not ask this agent')
      }
    },
    checkToken({ headers }) {
      const given = /^Bearer ([\x21-\x7e]{1,200})$/.exec(headers.authorization ?? '')?.[1]
      if (given === undefined || !timingSafeEqual(digest(given), expected)) {
        throw new HttpError(401, 'no-token', 'this needs the token of api.token, as: Authorization: Bearer TOKEN')
      }
    },
    checkRead(request) {
      if (!isFromLoopback(request)) guard.checkToken(request)
    },
    checkPing(request) {
      const { origin, 'sec-fetch-site': site } = request.headers
      if (origin !== undefined || site !== undefined) {
        throw new HttpError(403, 'from-a-browser', 'a ping comes from a program, not from a page')
      }
      if (!isFromLoopback(request)) guard.checkToken(request)
    },
  }
  return guard
}

/** A fingerprint of the token: lets a command that can read the token see that it talks to its own agent. */
export function fingerprintOf(token: string): string {
  return createHash('sha256').update(`muster agent ${token}`).digest('hex').slice(0, 16)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function splitHost(text: string): { name: string; port: number } | undefined {
  const [, six, name = six, port = '80'] =
    /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9.-]{1,253}))(?::(\d{1,5}))?$/.exec(text) ?? []
  return name === undefined ? undefined : { name: name.toLowerCase(), port: Number(port) }
}

/** Whether an address is of loopback, also as IPv6 writes IPv4. */
export function isLoopbackAddress(address: string): boolean {
  const four = address.replace(/^::ffff:/i, '')
  return address === '::1' || (isIP(four) === 4 && four.startsWith('127.'))
}

function isFromLoopback({ socket }: IncomingMessage): boolean {
  return isLoopbackAddress(socket.remoteAddress ?? '')
}
