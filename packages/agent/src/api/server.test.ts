import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fingerprintOf } from './guard.ts'
import { createApiServer } from './server.ts'
import { observation } from './testing/test-agent.ts'
import { AUTHORIZED, JSON_TYPE, json, startTestApi, type TestApi, TOKEN } from './testing/test-api.ts'

let api: TestApi

beforeEach(async () => {
  api = await startTestApi()
})

afterEach(async () => {
  await api.api.stop()
})

describe('reads', () => {
  test.each(['status', 'hosts', 'checks', 'incidents', 'recipients', 'history', 'digest'])(
    'GET /api/v1/%s needs no token on loopback',
    async (path) => {
      const answer = await api.ask('GET', `/api/v1/${path}`)
      expect(answer.status).toBe(200)
      expect(answer.headers['content-type']).toMatch(/^application\/json/)
      expect(() => json(answer)).not.toThrow()
    },
  )

  test('every answer carries the safe headers and the fingerprint of the token, but never the token', async () => {
    const { headers, body } = await api.ask('GET', '/api/v1/status')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['x-muster-agent']).toBe(fingerprintOf(TOKEN))
    expect(JSON.stringify(headers) + body).not.toContain(TOKEN)
  })

  test('/healthz answers ok', async () => {
    expect(await api.ask('GET', '/healthz')).toMatchObject({ status: 200, body: 'ok\n' })
  })

  test('an unknown path is 404, a wrong method 400, both as JSON', async () => {
    expect(json(await api.ask('GET', '/api/v1/nothing'))).toMatchObject({ error: { code: 'no-such-path' } })
    expect((await api.ask('DELETE', '/api/v1/status')).status).toBe(400)
    expect((await api.ask('GET', '/api/v1/__proto__')).status).toBe(404)
  })

  test('the history holds what a host last said, after it died', async () => {
    api.agent.meet({
      kind: 'configured',
      checks: [
        {
          name: 'disk',
          kind: 'disk',
          everyMs: 60_000,
          graceMs: 30_000,
          after: 1,
          recover: 1,
          forMs: 0,
          heartbeat: 'awake',
          tags: [],
        },
      ],
      spentMs: {},
    })
    const results = [
      {
        check: 'disk',
        observation: observation({ free_percent: 47 }, '47 % free'),
        judgement: 'ok' as const,
        because: '',
      },
    ]
    api.agent.meet({ kind: 'observed', results })
    api.agent.advance(15_000)
    const answer = json(await api.ask('GET', '/api/v1/history?host=laptop&check=disk'))
    expect(answer).toMatchObject({
      entries: [{ hostName: 'laptop', results: [{ check: 'disk', text: '47 % free' }] }],
      truncated: false,
    })
    expect((await api.ask('GET', '/api/v1/history?host=nobody')).status).toBe(404)
    expect((await api.ask('GET', '/api/v1/history?limit=-1')).status).toBe(400)
  })

  test('metrics are Prometheus text, with labels escaped', async () => {
    api.killVps()
    const answer = await api.ask('GET', '/metrics')
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0.0.4/)
    expect(answer.body).toContain('muster_host_state{host="vps-1",state="silent"} 1\n')
    expect(answer.body).toContain('muster_incidents_firing{severity="unknown"} 1\n')
    for (const line of answer.body.trimEnd().split('\n')) {
      expect(line).toMatch(
        /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? -?[0-9.e+-]+)$/,
      )
    }
  })
})

describe('who may ask', () => {
  test.each([
    ['another name', { host: 'evil.example' }],
    ['another port', { host: '127.0.0.1:1' }],
    ['a name that only begins like ours', { host: 'localhost.evil.example' }],
  ])('a Host of %s is 403', async (_, headers) => {
    expect((await api.ask('GET', '/api/v1/status', headers)).status).toBe(403)
    expect((await api.ask('GET', '/ping/backup', headers)).status).toBe(403)
  })

  test.each(['http://evil.example', 'null', 'https://127.0.0.1', 'http://127.0.0.1:1'])(
    'an Origin %s is 403',
    async (origin) => {
      expect((await api.ask('GET', '/api/v1/status', { origin })).status).toBe(403)
      expect((await api.ask('POST', '/api/v1/acks', { origin, ...AUTHORIZED, ...JSON_TYPE }, '{}')).status).toBe(403)
    },
  )

  test('localhost and our own origin are good', async () => {
    const { host } = new URL(api.base)
    expect((await api.ask('GET', '/api/v1/status', { host: host.replace('127.0.0.1', 'localhost') })).status).toBe(200)
    expect((await api.ask('GET', '/api/v1/status', { origin: api.base })).status).toBe(200)
  })

  test.each([
    ['POST', 'acks'],
    ['POST', 'silences'],
    ['POST', 'maintenances'],
    ['POST', 'recipients'],
    ['DELETE', 'recipients/phone'],
    ['POST', 'pairings'],
    ['GET', 'pairings/x'],
    ['DELETE', 'pairings/x'],
    ['POST', 'leave'],
    ['POST', 'reload'],
  ])('%s /api/v1/%s needs the token', async (method, path) => {
    const before = api.agent.port.state()
    const body = method === 'POST' ? '{}' : undefined
    expect((await api.ask(method, `/api/v1/${path}`, JSON_TYPE, body)).status).toBe(401)
    expect(
      (await api.ask(method, `/api/v1/${path}`, { ...JSON_TYPE, authorization: `Bearer ${TOKEN}x` }, body)).status,
    ).toBe(401)
    expect(api.agent.port.state()).toBe(before)
  })
})

describe('events', () => {
  test('a listener hears incidents as JSON, and stop() ends the stream', async () => {
    const response = await fetch(`${api.base}/api/v1/events`)
    const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const readUntil = async (part: string): Promise<void> => {
      while (!text.includes(part)) {
        const { done, value } = await reader.read()
        if (done) throw new Error(`the stream ended without ${part}`)
        text += value
      }
    }
    await readUntil(': here')
    api.killVps()
    await readUntil('event: incident\ndata: {')
    await readUntil('"hostName":"vps-1"')
    api.agent.emit({ kind: 'report', level: 'info', phrase: 'two\nlines', fields: {} })
    await readUntil('"phrase":"two\\nlines"')
    await api.api.stop()
    await expect(readUntil('never')).rejects.toThrow()
  })

  test('the seventeenth listener is told to come again', async () => {
    const ended = new AbortController()
    const open = Array.from({ length: 16 }, () => fetch(`${api.base}/api/v1/events`, { signal: ended.signal }))
    await Promise.all(open)
    expect((await api.ask('GET', '/api/v1/events')).status).toBe(503)
    ended.abort()
  })
})

describe('listening', () => {
  test('a port in use is one clear error', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const other = createApiServer(api.agent.port, { listen: { host: '127.0.0.1', port }, token: TOKEN })
    await expect(other.start()).rejects.toMatchObject({ name: 'ConfigError', code: 'port-in-use' })
    await other.stop()
    taken.close()
  })

  test('the address is left for the commands of the folder, and taken away again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'muster-api-'))
    const addressFile = join(folder, 'api.address')
    const other = createApiServer(api.agent.port, { listen: { host: '127.0.0.1', port: 0 }, token: TOKEN, addressFile })
    await other.start()
    expect(await readFile(addressFile, 'utf8')).toBe(`${other.address()}\n`)
    await other.stop()
    await expect(readFile(addressFile)).rejects.toMatchObject({ code: 'ENOENT' })
    await rm(folder, { recursive: true })
  })

  test('a head that is too large is refused, and the server goes on', async () => {
    const answer = await api.ask('GET', '/healthz', { 'x-large': 'x'.repeat(20_000) })
    expect(answer.status).toBe(431)
    expect((await api.ask('GET', `/healthz?${'x'.repeat(3_000)}`)).status).toBe(414)
    expect((await api.ask('GET', '/healthz')).status).toBe(200)
  })

  test('garbage on the socket harms nobody', async () => {
    const { port } = new URL(api.base)
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.end('\u0000\u0001garbage\r\n\r\n'))
      socket.on('error', () => undefined).on('close', () => resolve())
      socket.resume()
    })
    expect((await api.ask('GET', '/healthz')).status).toBe(200)
  })
})
