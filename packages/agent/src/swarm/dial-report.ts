/**
 * Why an address could not be dialled, in words for a person.
 *
 * A wrong swarm key has no error of its own on the wire: the other side just hangs up, or what it says makes no
 * sense. So it is told by how far the dial came: once the other side has answered with its nonce, somebody speaks
 * this protocol there, and who hangs up after that most likely does so for the key. Who hangs up before it may be
 * anything: what forwards a port where nobody listens, or an address that is another machine's by now. Who says
 * nothing more at all does not refuse a key, which takes milliseconds; it hangs.
 */
import type { HostId } from '@muster/protocol'

/** What is wrong with an address. */
export type DialProblem =
  | 'nobody-answers'
  | 'wrong-swarm-key'
  | 'hangs-up'
  | 'another-host'
  | 'not-admitted'
  | 'bad-address'
  | 'ourselves'
  | 'failed'

/** An address that does not answer as a member, and why. */
export interface DialReport {
  readonly address: string
  readonly host?: HostId
  readonly problem: DialProblem
  /** One line for a person. */
  readonly explanation: string
  /** How often in a row. */
  readonly tries: number
}

/** What a dial came to. */
export interface DialFailure {
  readonly address: string
  readonly error: unknown
  /** Whether the other side sent its nonce. */
  readonly answered: boolean
}

const NOBODY = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
])

/** Sorts the failure of a dial, and says it in one line. */
export function explainDialError(failure: DialFailure): { problem: DialProblem; explanation: string } {
  const problem = problemOf(failure)
  return { problem, explanation: explanations[problem](failure.address, reasonOf(failure.error)) }
}

const explanations: Record<DialProblem, (address: string, reason: string) => string> = {
  'nobody-answers': (address, reason) => `nobody answers at ${address} (${reason})`,
  'wrong-swarm-key': (address) => `${address} hangs up on us: wrong swarm key?`,
  'hangs-up': (address) => `something hangs up on us at ${address}: another program, or a host with another swarm key`,
  'another-host': (address) => `another host answers at ${address} than the one expected there`,
  'not-admitted': (address) =>
    `${address} holds the swarm key but does not let us in, or we not it: is it of this mesh?`,
  'bad-address': (address, reason) => `${address} is not an address that can be dialled (${reason})`,
  ourselves: (address) => `${address} is this host itself`,
  failed: (address, reason) => `dialling ${address} failed: ${reason}`,
}

function problemOf({ error, answered }: DialFailure): DialProblem {
  const { code, name, message } = partsOf(error)
  if (code === 'not-admitted') return 'not-admitted'
  if (name === 'WrongSwarmKeyError') return 'wrong-swarm-key'
  if (/dial self/i.test(message)) return 'ourselves'
  if (name === 'UnexpectedPeerError' || /does not match expected remote/i.test(message)) return 'another-host'
  if (
    /^(NoValidAddressesError|InvalidMultiaddrError|DialDeniedError|ValidationError|UnknownProtocolError|InvalidParametersError)$/.test(
      name,
    )
  ) {
    return 'bad-address'
  }
  if (/^(TimeoutError|AbortError)$/.test(name)) return 'nobody-answers'
  if (answered) return 'wrong-swarm-key'
  if (NOBODY.has(code)) return 'nobody-answers'
  if (/ECONNRESET|EPIPE|EOF|StreamReset|StreamClosed/i.test(`${code} ${name} ${message}`)) return 'hangs-up'
  return 'failed'
}

function reasonOf(error: unknown): string {
  const { code, name } = partsOf(error)
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'name not found'
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'no route'
  if (code === 'ETIMEDOUT' || name === 'TimeoutError' || name === 'AbortError') return 'no answer in time'
  return code !== '' ? code : name
}

function partsOf(error: unknown): { code: string; name: string; message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return partsOf(error.errors[0])
  if (!(error instanceof Error)) return { code: '', name: typeof error, message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return { code, name: error.name, message: error.message }
}
