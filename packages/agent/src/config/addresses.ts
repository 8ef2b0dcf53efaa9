/**
 * Addresses in a config, checked by their text alone: multiaddrs of the swarm and of Waku, and `host:port` of the API.
 *
 * Source: https://github.com/multiformats/multiaddr (grammar); only what our transports speak is accepted.
 */
import { isIPv4, isIPv6 } from 'node:net'

/** Why a text is no address, and what to write. */
export interface AddressFault {
  readonly what: string
  readonly remedy: string
}

/** Where an address may be used: to listen on (an IP of this host) or to dial (any name, perhaps through a relay). */
export type AddressUse = 'listen' | 'dial'

const PORT_MAX = 65_535
const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{46,60}$/
/** Longer than a relayed address of two peer ids and a long name. */
const ADDRESS_CHARACTERS_MAX = 512
const DNS_NAME = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_-]{1,63})*\.?$/
const NETWORKS: Readonly<Record<AddressUse, readonly string[]>> = {
  listen: ['ip4', 'ip6'],
  dial: ['ip4', 'ip6', 'dns4', 'dns6', 'dns'],
}
const EXAMPLES: Readonly<Record<AddressUse, string>> = {
  listen: 'write for example /ip4/0.0.0.0/tcp/4650, or /ip4/0.0.0.0/tcp/4652/ws for WebSocket',
  dial: 'write for example /dns4/vps-1.example.org/tcp/4650 or /ip4/203.0.113.7/tcp/4650',
}

/** What is wrong with a multiaddr, or undefined when nothing is. */
export function multiaddrFault(text: string, use: AddressUse): AddressFault | undefined {
  const remedy = EXAMPLES[use]
  if (text.length > ADDRESS_CHARACTERS_MAX) return { what: 'is too long for an address', remedy }
  if (!text.startsWith('/')) return { what: 'is not a multiaddr', remedy: suggestMultiaddr(text, use) ?? remedy }
  const [, network = '', host = '', tcp, port = '', ...rest] = text.split('/')
  if (!NETWORKS[use].includes(network)) {
    return { what: `cannot begin with /${network}`, remedy: `${remedy} (one of ${NETWORKS[use].join(', ')})` }
  }
  const fault = hostFault(network, host)
  if (fault !== undefined) return { what: fault, remedy }
  if (tcp !== 'tcp') return { what: `has no /tcp/PORT after ${host}`, remedy }
  return portFault(port, use) ?? endFault(rest, use)
}

function hostFault(network: string, host: string): string | undefined {
  if (network === 'ip4') return isIPv4(host) ? undefined : `holds no IPv4 address after /ip4`
  if (network === 'ip6') return isIPv6(host) && !host.includes('%') ? undefined : `holds no IPv6 address after /ip6`
  return DNS_NAME.test(host) ? undefined : `holds no host name after /${network}`
}

function portFault(text: string, use: AddressUse): AddressFault | undefined {
  const least = use === 'listen' ? 0 : 1
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : -1
  if (port >= least && port <= PORT_MAX) return undefined
  const zero = least === 0 ? ' (0: any free one)' : ''
  return { what: 'holds no port that exists', remedy: `a port is a number from ${least} to ${PORT_MAX}${zero}` }
}

/** What may follow the port: WebSocket, then the peer's id, then a relay's circuit. */
function endFault(rest: readonly string[], use: AddressUse): AddressFault | undefined {
  const end = rest.map((part) => `/${part}`).join('')
  const id = PEER_ID.source.slice(1, -1)
  const pattern = use === 'listen' ? '^(/ws)?$' : `^(/ws|/wss|/tls/ws)?(/p2p/${id})?(/p2p-circuit(/p2p/${id})?)?$`
  if (new RegExp(pattern).test(end)) return undefined
  if (use === 'listen' && /^\/(wss|tls\/ws)$/.test(end)) {
    const remedy = 'listen on /ws and let a web server such as Caddy speak TLS before it'
    return { what: 'asks for TLS, which this agent does not speak itself', remedy }
  }
  return { what: `cannot end with ${end}`, remedy: EXAMPLES[use] }
}

/** `host:port` and bare addresses are what people write first. */
function suggestMultiaddr(text: string, use: AddressUse): string | undefined {
  const [, host = '', port = '4650'] = /^(?:[a-z]+:\/\/)?([\w.-]+)(?::([0-9]{1,5}))?\/?$/.exec(text) ?? []
  const network = isIPv4(host) ? 'ip4' : 'dns4'
  const suggestion = `/${network}/${host}/tcp/${port}`
  return host !== '' && multiaddrFault(suggestion, use) === undefined ? `write ${suggestion}` : undefined
}

/** An address of the local API. */
export interface Endpoint {
  /** An IP address, without brackets. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

const ENDPOINT_REMEDY = 'write for example 127.0.0.1:4651 or [::1]:4651'

/** Reads `address:port`, or says what is wrong with it. */
export function parseEndpoint(text: string): Endpoint | AddressFault {
  const [, six, four = '', port = ''] = /^(?:\[([^\]]{1,64})\]|([^:]{0,253})):([0-9]{1,6})$/.exec(text) ?? []
  const host = six ?? (four === 'localhost' ? '127.0.0.1' : four)
  if (port === '') return { what: 'is not ADDRESS:PORT', remedy: ENDPOINT_REMEDY }
  if (six === undefined ? !isIPv4(host) : !isIPv6(host)) {
    return { what: 'holds no IP address of this host', remedy: ENDPOINT_REMEDY }
  }
  return portFault(port, 'listen') ?? { host, port: Number(port) }
}

/** The port of a multiaddr that was checked. */
export function portOf(address: string): number {
  return Number(address.split('/')[4])
}
