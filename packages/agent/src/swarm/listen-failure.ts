/** Which address could not be listened on, read out of what libp2p says: it has no error for it, only a long text. */
import type { ListenFailure } from '../listen-error.ts'

/** `  /ip4/127.0.0.1/tcp/4650: Error: listen EADDRINUSE: address already in use 127.0.0.1:4650` */
const FAILURE = /^\s*(\/\S+): (\w+)(?:: listen (E[A-Z]+))?/m

/** The first address that failed, or undefined when the error says of none; also of an error that has it as its cause. */
export function listenFailureOf(error: unknown): ListenFailure | undefined {
  if (!(error instanceof Error)) return undefined
  const [, address, name = '', code = name] = FAILURE.exec(error.message) ?? []
  return address === undefined ? listenFailureOf(error.cause) : { address, code }
}
