import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestApi, type TestApi } from './testing/test-api.ts'

let api: TestApi

beforeEach(async () => {
  api = await startTestApi()
})

afterEach(async () => {
  await api.api.stop()
})

describe('pings', () => {
  test.each([
    ['HEAD', '/ping/backup', { kind: 'success' }],
    ['GET', '/ping/backup', { kind: 'success' }],
    ['POST', '/ping/backup/start', { kind: 'start' }],
    ['POST', '/ping/backup/fail', { kind: 'fail' }],
    ['POST', '/ping/backup/log', { kind: 'log' }],
    ['POST', '/ping/backup/0', { kind: 'exit', exitCode: 0 }],
    ['POST', '/ping/backup/255', { kind: 'exit', exitCode: 255 }],
    [
      'POST',
      '/ping/backup?rid=7B9D1F3E-0000-4000-8000-000000000001',
      { kind: 'success', runId: '7b9d1f3e-0000-4000-8000-000000000001' },
    ],
  ])('%s %s is %o', async (method, path, ping) => {
    const answer = await api.ask(method, path)
    expect(answer).toMatchObject({ status: 200, body: method === 'HEAD' ? '' : 'OK' })
    expect(api.agent.pings).toEqual([{ check: 'backup', body: '', ...ping }])
  })

  test.each([
    ['/ping/backup/256', 400],
    ['/ping/backup?rid=1', 400],
    ['/ping/unknown', 404],
    ['/ping/backup/nonsense', 404],
    ['/ping/backup/1/2', 404],
    ['/ping/..%2f..', 404],
    ['/ping/%ff', 400],
  ])('%s is %i and reaches nothing', async (path, status) => {
    expect((await api.ask('POST', path)).status).toBe(status)
    expect(api.agent.pings).toEqual([])
  })

  test.each([{ origin: 'SELF' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'none' }])(
    'a browser with %o is refused',
    async (headers) => {
      const given = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, value === 'SELF' ? api.base : value]),
      )
      expect((await api.ask('POST', '/ping/backup', given)).status).toBe(403)
      expect(api.agent.pings).toEqual([])
    },
  )

  test('ten thousand bytes of a body are kept, the rest is dropped, and a flood is cut off', async () => {
    expect((await api.ask('POST', '/ping/backup', {}, 'x'.repeat(400_000))).status).toBe(200)
    expect(api.agent.pings[0]?.body).toBe('x'.repeat(10_000))
    const flood = await api.ask('POST', '/ping/backup', {}, 'x'.repeat(3_000_000)).catch(() => ({ status: 413 }))
    expect(flood.status).toBe(413)
    expect(api.agent.pings).toHaveLength(1)
  })
})
