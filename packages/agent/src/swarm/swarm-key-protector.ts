/**
 * The outermost door: a connection begins with the swarm key, or it ends within milliseconds.
 *
 * Wire format of libp2p's private networks (https://github.com/libp2p/specs/blob/master/pnet/Private-Networks-PSK-V1.md):
 * each side sends 24 random bytes, and from then on each direction is XORed with XSalsa20(key, the sender's nonce).
 * There is no authentication in it; but the first thing that any libp2p peer says is known, so a wrong key shows on
 * the first 20 bytes. That also tells which key of a ring the other side uses:
 * - the listener reads those 20 bytes, tries each key, and answers with the one that fits;
 * - the dialler uses its first key and looks at the first 20 bytes of the answer.
 *
 * It is our own because `@libp2p/pnet` takes one key, and never frees the memory of its cipher.
 */
import { randomBytes } from 'node:crypto'
import type { AbortOptions, ConnectionProtector, MessageStream, MultiaddrConnection } from '@libp2p/interface'
import type { MessageStreamInit, SendResult } from '@libp2p/utils'
import { AbstractMultiaddrConnection, byteStream } from '@libp2p/utils'
import type { Keystream } from './xsalsa20-keystream.ts'
import { createKeystream } from './xsalsa20-keystream.ts'

const NONCE_BYTES = 24
const CHUNK_BYTES_MAX = 32 * 1024
/** How much a stranger may send before the key is settled. */
const UNSETTLED_BYTES_MAX = 64 * 1024
/** What every libp2p peer says first: multistream-select's own name, with its length before it. */
const GREETING = new TextEncoder().encode('\x13/multistream/1.0.0\n')

/** The other side does not hold (one of) our swarm keys. */
export class WrongSwarmKeyError extends Error {
  override readonly name = 'WrongSwarmKeyError'
  readonly code = 'wrong-swarm-key'
}

/**
 * A factory for libp2p's `connectionProtector`.
 *
 * @param keys 32 bytes each: the first is used for dialling, all are accepted
 * @throws when there is no key, or one of another length
 */
export function swarmKeyProtector(keys: readonly Uint8Array[]): () => ConnectionProtector {
  if (keys.length === 0 || keys.some((key) => key.byteLength !== 32)) {
    throw new Error('a swarm needs at least one key, of 32 bytes each')
  }
  const ring = keys.map((key) => new Uint8Array(key))
  return () => ({ protect: (connection, options) => protect(asConnection(connection), ring, options) })
}

async function protect(
  connection: MultiaddrConnection,
  keys: readonly Uint8Array[],
  options: AbortOptions = {},
): Promise<MessageStream> {
  const localNonce = randomBytes(NONCE_BYTES)
  const bytes = byteStream(connection, { maxBufferSize: UNSETTLED_BYTES_MAX })
  const [received] = await Promise.all([
    bytes.read({ ...options, bytes: NONCE_BYTES }),
    bytes.write(localNonce, options),
  ])
  const remoteNonce = new Uint8Array(received.subarray())

  let key = firstOf(keys)
  let head: Uint8Array | undefined
  if (connection.direction === 'inbound') {
    head = new Uint8Array((await bytes.read({ ...options, bytes: GREETING.byteLength })).subarray())
    key = keyThatReads(head, keys, remoteNonce)
  }
  return new ProtectedConnection({
    connection: bytes.unwrap(),
    inbound: createKeystream(key, remoteNonce),
    outbound: createKeystream(key, localNonce),
    head,
    log: connection.log.newScope('swarm-key'),
  })
}

/** The key with which these bytes are the greeting. Throws when there is none. */
function keyThatReads(head: Uint8Array, keys: readonly Uint8Array[], nonce: Uint8Array): Uint8Array {
  for (const key of keys) {
    const keystream = createKeystream(key, nonce)
    const clear = keystream.xor(head)
    keystream.forget()
    if (isGreetingSoFar(clear, 0)) return key
  }
  throw new WrongSwarmKeyError('the peer speaks with another swarm key')
}

function isGreetingSoFar(clear: Uint8Array, offset: number): boolean {
  const compared = Math.min(clear.byteLength, GREETING.byteLength - offset)
  for (let i = 0; i < compared; i++) {
    if (clear[i] !== GREETING[offset + i]) return false
  }
  return true
}

interface ProtectedConnectionInit extends MessageStreamInit {
  readonly connection: MultiaddrConnection
  readonly inbound: Keystream
  readonly outbound: Keystream
  /** Encrypted bytes that were read already, to settle the key. */
  readonly head: Uint8Array | undefined
}

/** A connection whose bytes are XORed both ways. Listeners must not throw: that would end the process. */
class ProtectedConnection extends AbstractMultiaddrConnection {
  readonly #connection: MultiaddrConnection
  readonly #inbound: Keystream
  readonly #outbound: Keystream
  /** How many bytes of the greeting have been seen. */
  #greeted = 0

  constructor(init: ProtectedConnectionInit) {
    super({ ...init, remoteAddr: init.connection.remoteAddr, direction: init.connection.direction })
    this.#connection = init.connection
    this.#inbound = init.inbound
    this.#outbound = init.outbound

    if (init.head !== undefined) this.#receive(init.head)
    this.#connection.addEventListener('message', ({ data }) => {
      for (const piece of data instanceof Uint8Array ? [data] : data) this.#receive(piece)
    })
    this.#connection.addEventListener('drain', () => this.onMuxerDrain())
    this.#connection.addEventListener('close', (event) => {
      this.#forget()
      if (event.error === undefined) this.onTransportClosed()
      else if (event.local === true) this.abort(event.error)
      else this.onRemoteReset()
    })
    // It may have closed between the last read and the listeners above.
    if (this.#connection.status !== 'open') {
      queueMicrotask(() => {
        this.#forget()
        this.onTransportClosed()
      })
    }
  }

  #receive(encrypted: Uint8Array): void {
    try {
      for (let at = 0; at < encrypted.byteLength && this.status === 'open'; at += CHUNK_BYTES_MAX) {
        const clear = this.#inbound.xor(encrypted.subarray(at, at + CHUNK_BYTES_MAX))
        if (this.#greeted < GREETING.byteLength) {
          if (!isGreetingSoFar(clear, this.#greeted))
            throw new WrongSwarmKeyError('the peer answers with another swarm key')
          this.#greeted += clear.byteLength
        }
        this.onData(clear)
      }
    } catch (error) {
      this.abort(asError(error))
    }
  }

  override sendData(data: Parameters<AbstractMultiaddrConnection['sendData']>[0]): SendResult {
    let sentBytes = 0
    try {
      while (sentBytes < data.byteLength) {
        const chunk = data.subarray(sentBytes, Math.min(sentBytes + CHUNK_BYTES_MAX, data.byteLength))
        sentBytes += chunk.byteLength
        if (!this.#connection.send(this.#outbound.xor(chunk))) return { sentBytes, canSendMore: false }
      }
    } catch (error) {
      // The transport closed under us, or the keystream is spent: the close event says the rest.
      const cause = asError(error)
      queueMicrotask(() => this.abort(cause))
      return { sentBytes: data.byteLength, canSendMore: true }
    }
    return { sentBytes, canSendMore: true }
  }

  override async sendClose(options?: AbortOptions): Promise<void> {
    await this.#connection.close(options)
  }

  override sendReset(error: Error): void {
    this.#forget()
    this.#connection.abort(error)
  }

  override sendPause(): void {
    if (isReadable(this.#connection)) this.#connection.pause()
  }

  override sendResume(): void {
    if (isReadable(this.#connection)) this.#connection.resume()
  }

  #forget(): void {
    this.#inbound.forget()
    this.#outbound.forget()
  }
}

function isReadable(connection: MultiaddrConnection): boolean {
  return connection.status === 'open'
}

function firstOf(keys: readonly Uint8Array[]): Uint8Array {
  const [first] = keys
  if (first === undefined) throw new Error('a swarm needs at least one key')
  return first
}

/** The upgrader hands over the raw connection, but its type says less. */
function asConnection(stream: MessageStream): MultiaddrConnection {
  if (!('remoteAddr' in stream)) throw new Error('only a raw connection can be protected')
  return stream as MultiaddrConnection
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
