/**
 * The main story with three hosts: one loses power, the user hears of it once; it returns, the user hears of that once,
 * and nothing that it said is lost. A second recipient sleeps through all of it.
 */
import { createECDH } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from './host.ts'
import { createMesh, FAST_EVERY_MS, type Mesh } from './mesh.ts'
import type { Running } from './processes.ts'
import type { Receiver } from './receiver.ts'

const FOREIGN = fileURLToPath(new URL('foreign-receiver.ts', import.meta.url))
const LIMIT_MS = 40_000

let mesh: Mesh
let phone: Receiver
let tablet: Receiver
let foreign: Running

beforeAll(async () => {
  mesh = await createMesh(['vps-1', 'laptop', 'home-server'])
  phone = await mesh.receiver('phone')
  tablet = await mesh.receiver('tablet')
  foreign = await startForeign()
  await mesh.ready()
  await tablet.stop()
}, 120_000)

/** A stranger's receiver, entered by its key, that listens at the second host. */
async function startForeign(): Promise<Running> {
  const ecdh = createECDH('secp256k1')
  const publicKey = ecdh.generateKeys('hex')
  const added = await mesh.host('vps-1').muster('recipient', 'add', 'script', '--key', publicKey)
  expect(added).toMatchObject({ code: 0, out: expect.stringContaining('script is told from now on.') })
  const node = (await mesh.host('laptop').status()).wakuAddresses[0] ?? ''
  const script = mesh.processes.start([node], {
    program: [process.execPath, FOREIGN],
    env: { RECEIVER_KEY: ecdh.getPrivateKey('hex').padStart(64, '0') },
  })
  await until('the script to have subscribed', LIMIT_MS, () => linesOf(script).length)
  return script
}

afterAll(() => mesh?.end())

/** Its lines of JSON; the sdk prints a few words of its own. */
function linesOf(script: Running): readonly string[] {
  return script.out().filter((line) => line.startsWith('{'))
}

test('a killed host is told of once, with its name, the time that it was last heard, and who saw it', async () => {
  const killedAtUnixMs = Date.now()
  await mesh.host('vps-1').end('SIGKILL')
  const fired = await phone.next('fired', 'vps-1')

  expect(fired).toMatchObject({ heading: 'CRITICAL', verified: true })
  expect(fired.incidents).toHaveLength(1)
  const [incident] = fired.incidents
  expect(incident).toMatchObject({ hostName: 'vps-1', check: '', fault: 'silent', severity: 'critical' })
  const sinceBeforeKillMs = killedAtUnixMs - (incident?.sinceUnixMs ?? 0)
  expect(sinceBeforeKillMs).toBeGreaterThanOrEqual(-200)
  expect(sinceBeforeKillMs).toBeLessThanOrEqual(FAST_EVERY_MS + 200)
  expect([...(incident?.voters ?? [])].sort()).toEqual(['home-server', 'laptop'])
  expect(fired.text).toContain('2 of 2 peers agree')
  expect(['home-server', 'laptop']).toContain(fired.toldBy)
  expect(fired.text).toContain('Also on vps-1: disk, memory (2 checks, now unknown)')
})

test('a stock Waku client that holds only what docs/waku.md says reads the same notice', async () => {
  const line = await until('the script to print a notice', LIMIT_MS, () => linesOf(foreign)[1])
  const { certificateBytes, notice } = JSON.parse(line) as { certificateBytes: number; notice: unknown }
  expect(certificateBytes).toBeGreaterThan(0)
  expect(notice).toMatchObject({ transition: 'fired', incidents: [{ hostName: 'vps-1', fault: 'silent' }] })
})

test('history on a survivor shows what the dead host last said', async () => {
  const { code, out } = await mesh.host('laptop').muster('history', '--host', 'vps-1')
  expect(code).toBe(0)
  expect(out).toMatch(/vps-1 +disk +ok/u)
  expect(out).toMatch(/vps-1 +memory +ok/u)
  expect(out).toContain('vps-1 is silent')
})

test('brought back, its recovery is told once, and all hold the same history', async () => {
  mesh.host('vps-1').start()
  const resolved = await phone.next('resolved', 'vps-1')
  expect(resolved).toMatchObject({ heading: 'RESOLVED', verified: true })
  expect(resolved.text).toContain('vps-1 is back. It was silent for')
  await mesh.ready()
  await mesh.sameHistory()
  expect(phone.notices().map(({ transition }) => transition)).toEqual(['fired', 'resolved'])
})

test('the host that was away knows of its own incident by the id of the notice: who concluded it, who was told, its end', async () => {
  const vps = mesh.host('vps-1')
  const { id = '' } = (await mesh.host('laptop').incidentOf('vps-1')) ?? {}
  const missed = await until('vps-1 to know who was told', LIMIT_MS, async () => {
    const own = await vps.incidentOf('vps-1')
    return own?.told.some(({ transition }) => transition === 'resolved') ? own : null
  })
  const [fired] = phone.notices()
  expect(fired?.incidents[0]?.id).toBe(id)
  expect(missed).toMatchObject({ id, missed: true, fault: 'silent', severity: 'critical', state: 'resolved' })
  expect([...missed.voters].sort()).toEqual(['home-server', 'laptop'])
  expect(missed.told.map(({ recipientName, transition }) => `${recipientName} ${transition}`)).toContain('phone fired')
  expect(missed.resolvedUnixMs).toBeGreaterThan(missed.sinceUnixMs)
  expect((await vps.muster('history')).out).toContain(`incident ${missed.shortId} ended after`)
  expect(await vps.muster('ack', missed.shortId)).toMatchObject({
    code: 0,
    out: expect.stringContaining('it has ended already'),
  })
})

test('a receiver that was off all the while shows both when it returns', async () => {
  tablet.start()
  await tablet.next('resolved', 'vps-1')
  await until('the tablet to be connected', LIMIT_MS, () => tablet.node())
  expect(tablet.notices().map(({ transition }) => transition)).toEqual(['fired', 'resolved'])
  const { notices } = await tablet.stop()
  const once = { host: 'vps-1', check: '', shown: 1, copies: 1 }
  expect(notices).toMatchObject([
    { transition: 'fired', ...once },
    { transition: 'resolved', ...once },
  ])
})
