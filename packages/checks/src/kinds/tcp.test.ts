import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testContext } from '../test-context.ts'
import { tcp } from './tcp.ts'

let server: Server
let port = 0
beforeAll(async () => {
  server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

const observe = async (host: string, at: number, signal?: AbortSignal) =>
  (await tcp.observe({ host, port: at }, testContext(signal === undefined ? {} : { signal }))).observation

describe('tcp', () => {
  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]'])('connects to %s', async (host) => {
    const { values, error, text } = await observe(host, port)
    expect(error).toBeUndefined()
    expect(values.connected).toBe(true)
    expect(values.connect_ms).toBeGreaterThan(0)
    expect(text).toMatch(/^connected in \d+ ms$/u)
  })

  it('says that nobody listens', async () => {
    const spare = createServer()
    await new Promise<void>((resolve) => spare.listen(0, '127.0.0.1', resolve))
    const address = spare.address()
    const closed = typeof address === 'object' && address !== null ? address.port : 0
    await new Promise((resolve) => spare.close(resolve))
    const { values, error } = await observe('127.0.0.1', closed)
    expect(error).toEqual({ code: 'refused', message: 'connection refused' })
    expect(values).toEqual({ connected: false })
  })

  it.each(['169.254.169.254', '::ffff:169.254.169.254', '[fe80::1]'])('does not reach for %s', async (host) => {
    const { values, error } = await observe(host, 80)
    expect(error?.code).toBe('refused-address')
    expect(values).toEqual({})
  })

  it('stops when told', async () => {
    expect((await observe('127.0.0.1', port, AbortSignal.abort())).error?.code).toBe('timeout')
  })
})
