/**
 * The WebSocket transport, with one repair.
 *
 * `@libp2p/websockets` 10.1.21 ends an aborted connection with `close(1006)`, which a WebSocket must refuse: the call
 * throws, and the socket stays open for the life of the process. Such a close is made without a code here.
 * Source: https://websockets.spec.whatwg.org/#dom-websocket-close
 */
import { webSockets } from '@libp2p/websockets'

/** "Abnormal closure": a code that is only ever reported, never given. */
const ABNORMAL = 1006

/** What the transport keeps to itself: how it opens a socket. */
interface Opening {
  _connect(...args: readonly unknown[]): Promise<WebSocket>
}

/** The transport's factory, for a libp2p node. */
export function webSocketTransport(): ReturnType<typeof webSockets> {
  const factory = webSockets()
  return (components) => {
    const transport = factory(components)
    const opening = transport as unknown as Opening
    const connect = opening._connect.bind(transport)
    opening._connect = async (...args) => closable(await connect(...args))
    return transport
  }
}

/** Lets `close(1006)` mean what it was meant to. */
export function closable<S extends Pick<WebSocket, 'close'>>(socket: S): S {
  const close = socket.close.bind(socket)
  socket.close = (code, reason) => {
    if (code === ABNORMAL) close()
    else close(code, reason)
  }
  return socket
}
