import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hostIdOf, testPublicKey } from './testing/test-agent.ts'
import { AUTHORIZED, JSON_TYPE, json, startTestApi, type TestApi } from './testing/test-api.ts'

let api: TestApi

beforeEach(async () => {
  api = await startTestApi()
})

afterEach(async () => {
  await api.api.stop()
})

describe('changes', () => {
  test('an incident is acknowledged by the start of its id', async () => {
    const id = api.killVps()
    expect(await api.change('POST', '/api/v1/acks', { incident: id.slice(0, 4), by: 'ada' })).toMatchObject({
      status: 201,
    })
    expect(json(await api.ask('GET', '/api/v1/incidents'))).toMatchObject({
      incidents: [{ acknowledged: { by: 'ada' } }],
    })
    expect((await api.change('POST', '/api/v1/acks', { incident: 'ffffffff' })).status).toBe(404)
  })

  test('a silence is signed with the whole id, and ends', async () => {
    const id = api.killVps()
    const answer = await api.change('POST', '/api/v1/silences', { matcher: id.slice(0, 6), forMs: 60_000 })
    expect(json(answer)).toMatchObject({ matcher: id, matches: 1 })
    expect(json(await api.ask('GET', '/api/v1/status'))).toMatchObject({ well: true, incidents: [{ silenced: true }] })
    api.agent.advance(61_000)
    expect(json(await api.ask('GET', '/api/v1/status'))).toMatchObject({ well: false })
  })

  test.each([
    ['vps-1', 201],
    ['vps-1/disk', 201],
    ['vps-*', 201],
    ['nobody', 404],
    ['a/b/c', 400],
    ['vps\u001b[31m', 400],
  ])('a silence of %j is answered with %i', async (matcher, status) => {
    api.killVps()
    expect((await api.change('POST', '/api/v1/silences', { matcher, forMs: 60_000 })).status).toBe(status)
  })

  test('of two hosts of one name one is named by its id, whole or short', async () => {
    api.agent.live('first1', 'vps')
    api.agent.live('second', 'vps')
    const silenced = (matcher: string) => api.change('POST', '/api/v1/silences', { matcher, forMs: 60_000 })
    for (const matcher of ['vps', 'vps/disk']) {
      const refused = await silenced(matcher)
      expect(refused.status).toBe(409)
      expect(json(refused)).toMatchObject({
        error: {
          code: 'ambiguous',
          message: '2 hosts are called vps: name one by its id: oWfirst1, oWsecond',
        },
      })
    }
    expect((await api.change('POST', '/api/v1/maintenances', { host: 'vps', forMs: 60_000 })).status).toBe(409)
    expect(json(await silenced('oWsecond/disk'))).toMatchObject({ matcher: `${hostIdOf('second')}/disk` })
    expect(json(await silenced(hostIdOf('first1')))).toMatchObject({ matcher: hostIdOf('first1') })
    expect(json(await silenced('vps*'))).toMatchObject({ matcher: 'vps*' })
    api.agent.leave('second')
    expect(json(await silenced('vps'))).toMatchObject({ matcher: 'vps' })
  })

  test('a maintenance takes a name, and no longer than the mesh remembers', async () => {
    api.killVps()
    expect(json(await api.change('POST', '/api/v1/maintenances', { host: 'vps-1', forMs: 60_000 }))).toMatchObject({
      host: hostIdOf('vps-1'),
    })
    expect((await api.change('POST', '/api/v1/maintenances', { host: 'nobody', forMs: 60_000 })).status).toBe(404)
    expect((await api.change('POST', '/api/v1/maintenances', { host: 'vps-1', forMs: 7 * 86_400_000 })).status).toBe(
      400,
    )
  })

  test('a recipient comes by its key, once, and goes by its name', async () => {
    const publicKey = Buffer.from(testPublicKey()).toString('hex')
    expect((await api.change('POST', '/api/v1/recipients', { name: 'phone', publicKey })).status).toBe(201)
    expect((await api.change('POST', '/api/v1/recipients', { name: 'other', publicKey })).status).toBe(409)
    expect(
      (await api.change('POST', '/api/v1/recipients', { name: 'bad', publicKey: '02'.padEnd(66, 'f') })).status,
    ).toBe(400)
    expect(json(await api.ask('GET', '/api/v1/recipients'))).toMatchObject({ recipients: [{ name: 'phone' }] })
    expect((await api.change('DELETE', '/api/v1/recipients/phone')).status).toBe(200)
    expect(json(await api.ask('GET', '/api/v1/recipients'))).toEqual({ recipients: [] })
    expect((await api.change('DELETE', '/api/v1/recipients/phone')).status).toBe(404)
  })

  test('a pairing can be asked after until the device has answered', async () => {
    const { id, link } = json(await api.change('POST', '/api/v1/pairings', { name: 'phone' }))
    expect(link).toBe('muster:pair#abc')
    expect(json(await api.change('GET', `/api/v1/pairings/${String(id)}`))).toEqual({ state: 'waiting' })
    const waiting = api.change('GET', `/api/v1/pairings/${String(id)}?wait=20`)
    api.agent.pairing.resolve()
    expect(json(await waiting)).toEqual({ state: 'paired', name: 'phone' })
  })

  test('a pairing can be ended', async () => {
    const { id } = json(await api.change('POST', '/api/v1/pairings', { name: 'phone' }))
    expect((await api.change('DELETE', `/api/v1/pairings/${String(id)}`)).status).toBe(200)
    expect(api.agent.pairing.aborted).toBe(true)
    expect(json(await api.change('GET', `/api/v1/pairings/${String(id)}?wait=5`))).toMatchObject({ state: 'failed' })
  })

  test('leaving says goodbye and then lets the agent stop', async () => {
    expect((await api.change('POST', '/api/v1/leave')).status).toBe(200)
    expect(api.agent.port.state().stopping).toBe(true)
    await expect.poll(() => api.left()).toBe(1)
  })

  test('a refused reload says why', async () => {
    api.agent.reload = async () => ({ ok: false, lines: ['muster.yaml:3:1: unknown key'] })
    expect(await api.change('POST', '/api/v1/reload')).toMatchObject({ status: 422 })
  })

  test.each([
    ['no JSON', { ...AUTHORIZED, 'content-type': 'text/plain' }, '{}', 415],
    ['broken JSON', { ...AUTHORIZED, ...JSON_TYPE }, '{', 400],
    ['an unknown key', { ...AUTHORIZED, ...JSON_TYPE }, '{"incident":"abcd","x":1}', 400],
    ['too much', { ...AUTHORIZED, ...JSON_TYPE }, `{"incident":"${'a'.repeat(20_000)}"}`, 413],
  ])('a body of %s is refused', async (_, headers, body, status) => {
    expect((await api.ask('POST', '/api/v1/acks', headers, body)).status).toBe(status)
  })
})
