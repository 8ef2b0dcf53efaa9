import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { closable } from './ws-transport.ts'

it('closes a socket that is to be closed abnormally', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // Never answers the upgrade: the socket stays in the opening handshake until it is closed.
  server.on('upgrade', (_request, socket) => socket.on('error', () => undefined))
  const { port } = server.address() as AddressInfo
  const bare = new WebSocket(`ws://127.0.0.1:${port}/`)
  expect(() => bare.close(1006)).toThrow()
  const socket = closable(bare)
  const closed = once(socket, 'close')
  socket.close(1006)
  await closed
  server.closeAllConnections()
  server.close()
})
