import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Carried, encodeFrame, type MeshRecord } from '@muster/protocol'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { generateHostKey } from '../identity/host-key.ts'
import { generateSwarmKey, writeSwarmKey } from '../identity/swarm-key.ts'
import { createOrigin } from '../shell/origin.ts'
import { createSwarm } from '../swarm/create-swarm.ts'
import type { Swarm } from '../swarm/swarm.ts'
import { type Ended, inProcess } from './testing/in-process.ts'
import { tryPeer } from './try-peer.ts'

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined }
const swarmKey = generateSwarmKey()

let member: Swarm
let peer: string
/** What the member holds and gives to whoever asks. */
let holds: Carried[]

beforeEach(async () => {
  holds = []
  const hostKey = generateHostKey()
  const { certificate } = createOrigin({ swarmKey, hostKey, name: 'vps-1' }, systemClock)
  member = createSwarm(
    { privateKey: hostKey.seed, swarmKeys: [swarmKey], listen: ['/ip4/127.0.0.1/tcp/0'] },
    {
      onFrame: async () => 'ignore',
      onProbe: async () => new Uint8Array(),
      onCatchUp: async function* () {
        for (const carried of holds) yield encodeFrame([carried])
      },
      admit: async () => true,
      hello: () => certificate,
      onPeer: () => undefined,
    },
    { log: SILENT, clock: systemClock, random: Math.random },
  )
  await member.start()
  // As a person would write it: without the peer's id.
  peer = (member.addresses()[0] ?? '').replace(/\/p2p\/.*$/, '')
})

afterEach(async () => {
  await member.stop()
})

/** A host that the member has met: its own record, and after it others that it signed. */
function metBy(name: string, ...others: readonly MeshRecord[]): Carried[] {
  const { sign, certificate } = createOrigin({ swarmKey, hostKey: generateHostKey(), name }, systemClock)
  const presence = { everyMs: 10_000, graceMs: 5_000, sleeps: false }
  const own = { kind: 'member', name, addresses: [], wakuAddresses: [], ...presence, certificate, serial: 1 } as const
  return [own, ...others].map((body) => {
    const record = { ...sign('record', body), domain: 'record' } as const
    return { record, ageMs: 0 }
  })
}

function attempt(name: string, key: Uint8Array, address = peer) {
  return tryPeer({
    peer: address,
    name,
    swarmKey: key,
    hostKey: generateHostKey(),
    signal: new AbortController().signal,
  })
}

test('a member answers: key and address are right', async () => {
  expect(await attempt('laptop', swarmKey)).toEqual({ isGood: true, line: 'vps-1 answers: key and address are right.' })
})

test('a name that the member has already is told', async () => {
  expect(await attempt('vps-1', swarmKey)).toMatchObject({
    isGood: false,
    line: expect.stringContaining('is called that too'),
  })
})

test('a name that the mesh knows as another host is told, and is no reason not to join', async () => {
  holds = [...metBy('home-server'), ...metBy('laptop')]
  expect(await attempt('laptop', swarmKey)).toEqual({
    isGood: true,
    line: 'vps-1 answers: key and address are right.',
    warning:
      'The mesh knows a host called laptop already. If that is another machine, give this host another name under host: in muster.yaml',
  })
  const { code, out } = await joinWith(swarmKey, peer)
  expect(code).toBe(0)
  expect(out).toContain('The mesh knows a host called laptop already.')
  expect(out).toContain('Next:  muster run')
})

test('the name of a host that has left is free', async () => {
  holds = metBy('laptop', { kind: 'leave', life: { incarnation: 1, epoch: 0 } })
  expect(await attempt('laptop', swarmKey)).toEqual({ isGood: true, line: expect.stringContaining('vps-1 answers') })
})

test('another key is told as what it most likely is', async () => {
  expect(await attempt('laptop', generateSwarmKey())).toMatchObject({
    isGood: false,
    line: expect.stringContaining('wrong swarm key?'),
    problem: 'wrong-swarm-key',
  })
})

async function joinWith(key: Uint8Array, address: string, name = 'laptop'): Promise<Ended & { readonly dir: string }> {
  const home = await mkdtemp(join(tmpdir(), 'muster-join-'))
  const file = join(home, 'other.key')
  const dir = join(home, 'laptop')
  await writeSwarmKey(file, key)
  const ended = await inProcess(home, ['join', '--name', name, '--key', file, '--peer', address, '--dir', dir])
  await rm(home, { recursive: true })
  return { ...ended, dir }
}

test('join with another key speaks of the key first, with what to type, and does not send on', async () => {
  const { code, out, dir } = await joinWith(generateSwarmKey(), peer)
  expect(code).toBe(1)
  expect(out).toContain('The key first.')
  expect(out).toContain(`  cp ITS-FOLDER/swarm.key ${join(dir, 'swarm.key')}\n`)
  expect(out).toContain('Once that is mended: muster run --dir ~/laptop\n')
  expect(out).not.toContain('Next:')
})

test('join where something else hangs up names both, the key and the address', async () => {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const { code, out } = await joinWith(swarmKey, `/ip4/127.0.0.1/tcp/${port}`)
  await new Promise((resolve) => server.close(resolve))
  expect(code).toBe(1)
  expect(out).toContain('The key first.')
  expect(out).toContain('If they are the same, something else answers there: mend the address')
  expect(out).not.toContain('Next:')
})

test('join where nobody answers says how to go on, and does not send on as if all were well', async () => {
  await member.stop()
  const { code, out, dir } = await joinWith(swarmKey, peer)
  expect(code).toBe(1)
  expect(out.trimEnd().split('\n').slice(1)).toEqual([
    expect.stringContaining(`nobody answers at ${peer}`),
    `  If that host is off just now, this one finds it once it is back: muster run --dir ~/laptop`,
    `  Else mend the address under swarm.peers in ${join(dir, 'muster.yaml')}, or remove the folder and join again.`,
  ])
})

test('join under the name of the host that answers says what to mend, and nothing of the address', async () => {
  const { code, out } = await joinWith(swarmKey, peer, 'vps-1')
  expect(code).toBe(1)
  expect(out.trimEnd().split('\n').slice(1)).toEqual([
    'vps-1 answers, and is called that too: give this host another name under host: in muster.yaml',
    '  Once that is mended: muster run --dir ~/laptop',
  ])
})

test('join with key and address right says what comes next', async () => {
  const { code, out } = await joinWith(swarmKey, peer)
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('Next:  muster run --dir ~/laptop\n') })
})

test('nobody at the address', async () => {
  await member.stop()
  expect(await attempt('laptop', swarmKey)).toMatchObject({
    isGood: false,
    line: expect.stringContaining(`nobody answers at ${peer}`),
  })
})
