/** A wire on loopback that can be pulled, can hang like a stopped process, and can cut what passes into pieces. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/** A proxy in front of one port. */
export interface TcpProxy {
  readonly port: number
  /** How many have connected so far. */
  connections(): number
  /** Nothing passes any more, and nobody is told. */
  freeze(): void
  /** All connections break. */
  breakAll(): void
  close(): Promise<void>
}

/**
 * Listens on a free port and passes everything on to another.
 *
 * @param pieceBytes how long the n-th piece that is passed on may be
 */
export async function createTcpProxy(
  toPort: number,
  pieceBytes: (n: number) => number = () => Infinity,
): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let isFrozen = false
  let connections = 0

  const pass = (from: Socket, to: Socket): void => {
    let queue: Promise<void> = Promise.resolve()
    let pieces = 0
    from.on('data', (data) => {
      if (isFrozen) return
      from.pause()
      queue = queue
        .then(async () => {
          for (let at = 0; at < data.byteLength; ) {
            const length = pieceBytes(pieces++)
            to.write(data.subarray(at, at + length))
            at += length
            // Pieces that are written in one turn would arrive as one.
            if (length !== Infinity) await new Promise((resolve) => setImmediate(resolve))
          }
        })
        .finally(() => from.resume())
    })
    from.on('close', () => to.destroy())
    from.on('error', () => to.destroy())
    sockets.add(from)
  }
  const server = createServer((inbound) => {
    connections += 1
    const outbound = connect(toPort, '127.0.0.1')
    inbound.setNoDelay(true)
    outbound.setNoDelay(true)
    pass(inbound, outbound)
    pass(outbound, inbound)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    freeze() {
      isFrozen = true
    },
    breakAll() {
      for (const socket of sockets) socket.resetAndDestroy()
      sockets.clear()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
