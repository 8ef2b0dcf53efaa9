import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { judge } from '../conditions/judge.ts'
import { defineCheck } from '../config.ts'
import { BODY_BYTES_MAX, BODY_CHARS_MAX } from '../limits.ts'
import { testContext } from '../test-context.ts'
import { http } from './http.ts'

const servers: Server[] = []
const sockets = new Set<Socket>()
const seen: IncomingMessage[] = []
let origin = ''
let otherOrigin = ''
let rawOrigin = ''

const pages: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/ok': (response) => response.setHeader('x-version', '1.2.3').end('all systems go'),
  '/teapot': (response) => response.writeHead(418).end('\u001b[31mno\u001b[0m'),
  '/hop': (response) => response.writeHead(302, { location: '/ok' }).end(),
  '/away': (response) =>
    response.writeHead(302, { location: `${otherOrigin.replace('127.0.0.1', 'localhost')}/ok` }).end(),
  '/port': (response) => response.writeHead(307, { location: `${otherOrigin}/ok` }).end(),
  '/metadata': (response) => response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
  '/file': (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  '/loop': (response) => response.writeHead(302, { location: '/loop' }).end(),
  '/endless': (response) => {
    response.writeHead(200)
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  },
  '/drip': (response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('.'), 20)
    response.on('close', () => clearInterval(timer))
  },
  '/silent': () => {},
  '/gzip': (response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('squeezed')),
  '/bomb': (response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(50_000_000))),
  '/odd': (response) => response.setHeader('content-encoding', 'constructor').end('odd'),
}

/** Answers that no HTTP server would give, by path. */
const rawAnswers: Readonly<Record<string, string>> = {
  '/garbage': '\u0000\u0001 not http at all\r\n\r\n',
  '/headers': `HTTP/1.1 200 OK\r\n${'x-fill: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(2000)}\r\n`,
  '/half': 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort',
  '/close': '',
}

async function listen(server: Server): Promise<string> {
  servers.push(server)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

beforeAll(async () => {
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    seen.push(request)
    const page = pages[request.url ?? '']
    if (page === undefined) response.writeHead(404).end()
    else page(response)
  }
  otherOrigin = await listen(createHttpServer(serve))
  origin = await listen(createHttpServer(serve))
  rawOrigin = await listen(
    createTcpServer((socket) => {
      socket.once('data', (data) => {
        const path = String(data).split(' ', 2)[1] ?? ''
        socket.end(rawAnswers[path] ?? '')
      })
    }),
  )
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
})

const ask = (url: string, more: Record<string, unknown> = {}, signal?: AbortSignal) => {
  const options = http.options.parse({ url, ...more })
  return http.observe(
    options as Parameters<typeof http.observe>[0],
    testContext(signal === undefined ? {} : { signal }),
  )
}

describe('http', () => {
  it('observes what a page answers', async () => {
    const { observation, transient } = await ask(`${origin}/ok`)
    expect(observation.values).toMatchObject({ status: 200, body_bytes: 14, body_cut: false, redirects: 0 })
    expect(observation.text).toMatch(/^200 in \d+ ms$/u)
    expect(transient).toMatchObject({ body: 'all systems go', 'header:x-version': '1.2.3' })
    expect(JSON.stringify(observation)).not.toContain('systems')
  })

  it('lets conditions read body and headers', async () => {
    const measurement = await ask(`${origin}/ok`)
    const verdict = (critical: string) =>
      judge(measurement, defineCheck({ name: 'a', kind: 'http', url: origin, critical }).conditions, http.downCodes)
    expect(verdict("!body.contains('systems go')").judgement).toBe('ok')
    expect(verdict("!re2(body, '^all .* stop$')").judgement).toBe('critical')
    expect(verdict("header('X-Version') != '1.2.4'")).toEqual({
      judgement: 'critical',
      because: '"1.2.3" != \'1.2.4\': yes',
    })
    expect(verdict("header('x-nothing') == ''")).toEqual({
      judgement: 'unknown',
      because: "header('x-nothing') was not measured",
    })
  })

  it.each([
    ['/teapot', 418],
    ['/nowhere', 404],
    ['/hop', 200],
  ])('%s answers %d', async (path, status) => {
    expect((await ask(origin + path)).observation.values.status).toBe(status)
  })

  it.each([
    ['/away', 302, 'a redirect to another host, not followed'],
    ['/metadata', 302, 'a redirect to another host, not followed'],
    ['/file', 302, 'a redirect to another protocol, not followed'],
    ['/loop', 302, 'more than 5 redirects'],
  ])('stops at %s', async (path, status, reason) => {
    const { values, text, error } = (await ask(origin + path)).observation
    expect(error).toBeUndefined()
    expect(values.status).toBe(status)
    expect(text).toContain(reason)
  })

  it('follows anywhere when told, but never to metadata, and keeps secrets at home', async () => {
    seen.length = 0
    const more = { redirects: 'any', headers: { authorization: 'Bearer hush' } }
    expect((await ask(`${origin}/away`, more)).observation.values.status).toBe(200)
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer hush', undefined])
    expect((await ask(`${origin}/metadata`, more)).observation.error?.code).toBe('refused-address')
  })

  it('keeps secrets from another port of the same host', async () => {
    seen.length = 0
    const url = `${origin.replace('http://', 'http://user:pass@')}/port`
    const { observation } = await ask(url, { method: 'POST', body: 'secret' })
    expect(observation.values.status).toBe(200)
    expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:pass').toString('base64')}`)
    expect(seen[1]?.headers.authorization).toBeUndefined()
    expect(seen[1]?.headers['content-length'] ?? '0').toBe('0')
  })

  it('stops reading an endless body at the cap', async () => {
    const { observation, transient } = await ask(`${origin}/endless`)
    expect(observation.values).toMatchObject({ status: 200, body_bytes: BODY_BYTES_MAX, body_cut: true })
    expect(transient?.body).toHaveLength(BODY_CHARS_MAX)
  })

  it.each([
    ['/gzip', 'squeezed'],
    ['/bomb', undefined],
    ['/odd', undefined],
  ])('decompresses %s within the cap or not at all', async (path, body) => {
    const { observation, transient } = await ask(origin + path)
    expect(observation.values.status).toBe(200)
    expect(transient?.body).toBe(body)
  })

  it.each(['/drip', '/silent'])('ends with its time at %s', async (path) => {
    const { values, error } = (await ask(origin + path, {}, AbortSignal.timeout(150))).observation
    expect(error).toEqual({ code: 'timeout', message: 'no whole answer in time' })
    expect(values).toEqual({})
  })

  it.each([
    ['/garbage', 'bad-answer'],
    ['/headers', 'bad-answer'],
    ['/half', 'reset'],
    ['/close', 'reset'],
  ])('survives %s', async (path, code) => {
    const { error } = (await ask(rawOrigin + path)).observation
    expect(error?.code).toBe(code)
    expect(http.downCodes).toContain(code)
  })

  it.each(['http://169.254.169.254/', 'http://[fe80::1]/', 'http://[::ffff:a9fe:a9fe]/', 'http://0xa9fea9fe/'])(
    'does not reach for %s',
    async (url) => {
      expect((await ask(url)).observation.error?.code).toBe('refused-address')
    },
  )

  it('says that TLS failed', async () => {
    const { error } = (await ask(origin.replace('http:', 'https:'))).observation
    expect(error?.code).toBe('tls')
  })

  it.each(['ftp://example.org', 'example.org', '', 'http://'])('takes no url %j', (url) => {
    expect(http.options.safeParse({ url }).success).toBe(false)
  })
})
