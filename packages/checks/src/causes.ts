/** Names for what the system said: a stable code and one line for a person, from an `errno` code. */

/** Why something could not be done. */
export interface Cause {
  readonly code: string
  readonly message: string
}

const CAUSES: Readonly<Record<string, Cause>> = {
  ECONNREFUSED: { code: 'refused', message: 'connection refused' },
  ECONNRESET: { code: 'reset', message: 'connection reset' },
  EPIPE: { code: 'reset', message: 'connection closed while sending' },
  ETIMEDOUT: { code: 'timeout', message: 'no answer in time' },
  EHOSTUNREACH: { code: 'unreachable', message: 'host unreachable' },
  EHOSTDOWN: { code: 'unreachable', message: 'host is down' },
  ENETUNREACH: { code: 'no-route', message: 'this host has no route there' },
  ENETDOWN: { code: 'no-route', message: "this host's network is down" },
  EADDRNOTAVAIL: { code: 'no-route', message: 'this host has no address to connect from' },
  ENOTFOUND: { code: 'name-not-found', message: 'no such name' },
  EAI_AGAIN: { code: 'resolver-failed', message: 'the name could not be looked up just now' },
  EAI_FAIL: { code: 'resolver-failed', message: 'the resolver failed' },
  ENOENT: { code: 'missing', message: 'not found' },
  ENOTDIR: { code: 'missing', message: 'not found' },
  EACCES: { code: 'permission', message: 'permission denied' },
  EPERM: { code: 'permission', message: 'not permitted' },
  EMFILE: { code: 'no-resources', message: 'too many open files on this host' },
  ENFILE: { code: 'no-resources', message: 'too many open files on this host' },
  EAGAIN: { code: 'no-resources', message: 'out of processes on this host' },
  ENOMEM: { code: 'no-resources', message: 'out of memory on this host' },
  EIO: { code: 'io', message: 'input/output error' },
  HPE_HEADER_OVERFLOW: { code: 'bad-answer', message: 'its headers are too large' },
  ERR_HTTP2_ERROR: { code: 'bad-answer', message: 'it does not speak HTTP/1.1' },
}

/**
 * The cause behind anything that was thrown. The system's own message is never passed on, for it may hold a secret or
 * a hostile target's text.
 */
export function causeOf(error: unknown): Cause {
  const code = errorCode(error)
  const known = CAUSES[code]
  if (known !== undefined) return known
  if (code.startsWith('HPE_')) return { code: 'bad-answer', message: 'it does not speak HTTP' }
  if (isTlsCode(code)) return { code: 'tls', message: `TLS failed: ${code.toLowerCase().replaceAll('_', ' ')}` }
  return { code: 'failed', message: code === '' ? 'it failed' : `it failed (${code})` }
}

/** The `code` of an error, of its cause, or of the first of several (happy eyeballs); empty when it has none. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) return errorCode(error.errors[0])
  return 'cause' in error ? errorCode(error.cause) : ''
}

function isTlsCode(code: string): boolean {
  return /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO$|HOSTNAME_MISMATCH)/u.test(code)
}
