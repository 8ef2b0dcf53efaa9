/**
 * Addresses that no check may connect to: link-local ones and the metadata services of clouds, which hand credentials
 * to whoever asks. They are refused after resolution, so a name that points there does not help.
 * Source: RFC 3927, RFC 4291, RFC 6052; the documentation of AWS, Azure, Alibaba and Oracle on instance metadata.
 */
import { lookup as lookupName } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

const REFUSED = new BlockList()
REFUSED.addSubnet('169.254.0.0', 16, 'ipv4')
REFUSED.addSubnet('fe80::', 10, 'ipv6')
REFUSED.addAddress('fd00:ec2::254', 'ipv6')
REFUSED.addAddress('fd20:ce::254', 'ipv6')
REFUSED.addAddress('100.100.100.200', 'ipv4')
REFUSED.addAddress('168.63.129.16', 'ipv4')
REFUSED.addAddress('192.0.0.192', 'ipv4')

/** The `code` of the error by which a refused address shows. */
export const REFUSED_ADDRESS = 'ERR_REFUSED_ADDRESS'

/** True when no check may connect to this literal address. IPv4 inside IPv6 (mapped, NAT64, 6to4) counts as IPv4. */
export function isRefusedAddress(address: string): boolean {
  const bare = address.split('%', 1)[0] ?? ''
  const family = isIP(bare)
  if (family === 4) return REFUSED.check(bare, 'ipv4')
  if (family !== 6) return false
  if (REFUSED.check(bare, 'ipv6')) return true
  const embedded = embeddedIpv4(bare)
  return embedded !== undefined && REFUSED.check(embedded, 'ipv4')
}

/**
 * A `lookup` for sockets that fails with `REFUSED_ADDRESS` when a name leads, with any of its addresses, to a refused
 * one: the socket connects to exactly what was checked here.
 */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  lookupName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, '', 4)
      return
    }
    const first = addresses[0]
    if (first === undefined || addresses.some(({ address }) => isRefusedAddress(address))) {
      callback(Object.assign(new Error('refused address'), { code: REFUSED_ADDRESS }), '', 4)
    } else if (options.all === true) {
      callback(null, addresses)
    } else {
      callback(null, first.address, first.family)
    }
  })
}

function embeddedIpv4(address: string): string | undefined {
  const groups = expandIpv6(address)
  const pair = (high: number, low: number) =>
    [(groups[high] ?? 0) >> 8, (groups[high] ?? 0) & 255, (groups[low] ?? 0) >> 8, (groups[low] ?? 0) & 255].join('.')
  const isZero = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0)
  if (isZero(0, 5) && (groups[5] === 0xffff || groups[5] === 0)) return pair(6, 7)
  if (groups[0] === 0x64 && groups[1] === 0xff9b) return pair(6, 7)
  if (groups[0] === 0x2002) return pair(1, 2)
  return undefined
}

function expandIpv6(address: string): readonly number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/u.exec(address)
  const hex = (high?: string, low?: string) => ((Number(high) << 8) | Number(low)).toString(16)
  const text = dotted === null ? address : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`
  const [head = '', tail] = text.split('::', 2)
  const read = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const front = read(head)
  const back = tail === undefined ? [] : read(tail)
  return [...front, ...Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0), ...back]
}
