/** An address of the config that this machine does not let us listen on: the user's to mend, and told as such. */
import { type ConfigError, configError } from './config/errors.ts'

/** The key of `muster.yaml` that names the address. */
export type ListenKey = 'swarm.listen' | 'waku.listen' | 'api.listen'

/** What the system said. */
export interface ListenFailure {
  /** As it is written in the config: a multiaddr, or `127.0.0.1:4651`. */
  readonly address: string
  /** `EADDRINUSE` and the like. */
  readonly code: string
}

/**
 * The error in two lines: key, address and what is wrong; and what to do about it in which file. Its codes are
 * `port-in-use`, `address-elsewhere`, `port-forbidden` and `cannot-listen`.
 */
export function listenError(key: ListenKey, failure: ListenFailure, file: string, cause?: unknown): ConfigError {
  const { code, what, remedy } = explain(failure, file)
  return configError({ code, what: `${key}: ${failure.address} ${what}`, remedy }, { cause })
}

function explain(
  { address, code }: ListenFailure,
  file: string,
): { readonly code: string; readonly what: string; readonly remedy: string } {
  switch (code) {
    case 'EADDRINUSE':
      return {
        code: 'port-in-use',
        what: 'is in use by another program',
        remedy: `another muster, perhaps; \`ss -ltnp\` shows it: stop it, or write another port in ${file}`,
      }
    case 'EADDRNOTAVAIL':
      return {
        code: 'address-elsewhere',
        what: 'is no address of this machine',
        remedy: `\`ip address\` shows those that are: write one of them, or ${usualOf(address)}, in ${file}`,
      }
    case 'EACCES':
    case 'EPERM':
      return {
        code: 'port-forbidden',
        what: 'is a port that this user may not listen on',
        remedy: `write a port from 1024 on in ${file}, or give the agent the right CAP_NET_BIND_SERVICE`,
      }
    default:
      return {
        code: 'cannot-listen',
        what: `cannot be listened on (${code})`,
        remedy: `write another address in ${file}`,
      }
  }
}

/** The same port where it is usually listened on: a multiaddr on all addresses, the API on loopback. */
function usualOf(address: string): string {
  if (address.startsWith('/ip4/')) return address.replace(/^\/ip4\/[^/]+/, '/ip4/0.0.0.0')
  if (address.startsWith('/ip6/')) return address.replace(/^\/ip6\/[^/]+/, '/ip6/::')
  return address.replace(/^.*:(?=\d+$)/, '127.0.0.1:')
}
