/**
 * The host whose turn it is to tell is killed right after it has claimed the turn: another takes it, and the user sees
 * the notice once. Thrice, with another victim each time.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { IncidentView } from '../../packages/agent/src/api/shapes.ts'
import { type Host, until } from './host.ts'
import { createMesh, type Mesh } from './mesh.ts'
import type { Receiver } from './receiver.ts'

const NAMES = ['vps-1', 'vps-2', 'laptop', 'home-server']
const LIMIT_MS = 40_000

let mesh: Mesh
let phone: Receiver
const victims: string[] = []
/** Rounds in which the claim had not become a notice when its maker died. */
let hits = 0

beforeAll(async () => {
  mesh = await createMesh(NAMES, { checks: ['{name: memory, kind: memory, every: 5s}'] })
  phone = await mesh.receiver('phone')
  await mesh.ready()
}, 120_000)

afterAll(() => mesh?.end())

test.each([1, 2, 3])(
  'its maker dies right after the claim, round %i: told all the same, and shown once',
  async () => {
    const victim = await nextVictim()
    const survivors = mesh.hosts.filter((host) => host !== victim)
    await victim.end('SIGKILL')
    const claimant = await untilClaimed(victim.name, survivors)
    await claimant.end('SIGKILL')
    const killedAtMs = performance.now()
    const fired = await phone.next('fired', victim.name, { limitMs: LIMIT_MS })
    if (fired.atMs > killedAtMs) hits += 1
    expect(fired).toMatchObject({ verified: true })
    expect(fired.incidents.map(({ hostName }) => hostName)).toContain(victim.name)
    await phone.next('fired', claimant.name, { limitMs: LIMIT_MS, skip: rounds(claimant.name) })
    tellers.push(claimant.name)

    victim.start()
    claimant.start()
    await phone.next('resolved', victim.name, { limitMs: LIMIT_MS })
    await mesh.ready()
    const transitions = phone.about(victim.name).map(({ transition }) => transition)
    expect(transitions).toEqual(['fired', 'resolved'])
  },
  120_000,
)

test('in one round at least the claim came to nothing, and another host told', () => {
  expect(hits).toBeGreaterThan(0)
})

/** Who died after a claim, in order. */
const tellers: string[] = []
const rounds = (name: string): number => tellers.filter((each) => each === name).length

/** A host that has not been killed yet, and is not the one that tells of hosts. */
async function nextVictim(): Promise<Host> {
  const name = NAMES.find((each) => !victims.includes(each) && !tellers.includes(each)) ?? ''
  victims.push(name)
  return mesh.host(name)
}

/** The first host that any survivor knows to have claimed the turn. Looks as fast as it can. */
function untilClaimed(victim: string, survivors: readonly Host[]): Promise<Host> {
  const claimOf = (incident: IncidentView | null): string | undefined =>
    incident?.told.find(({ transition }) => transition === 'fired')?.by
  const look = (host: Host) => async (): Promise<Host | null> => {
    const name = claimOf(await host.incidentOf(victim))
    return name === undefined ? null : mesh.host(name)
  }
  return Promise.any(survivors.map((host) => until(`a claim at ${host.name}`, LIMIT_MS, look(host), 2)))
}
