import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

beforeEach(async () => {
  const hostKey = generateHostKey()
  const { certificate } = createOrigin({ swarmKey, hostKey, name: 'vps-1' }, systemClock)
  member = createSwarm(
    { privateKey: hostKey.seed, swarmKeys: [swarmKey], listen: ['/ip4/127.0.0.1/tcp/0'] },
    {
      onFrame: async () => 'ignore',
      onProbe: async () => new Uint8Array(),
      // biome-ignore lint/correctness/useYield: this member has no history.
      onCatchUp: async function* () {
        return
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

test('another key is told as what it most likely is', async () => {
  expect(await attempt('laptop', generateSwarmKey())).toMatchObject({
    isGood: false,
    line: expect.stringContaining('wrong swarm key?'),
    problem: 'wrong-swarm-key',
  })
})

async function joinWith(key: Uint8Array, address: string): Promise<Ended & { readonly dir: string }> {
  const home = await mkdtemp(join(tmpdir(), 'muster-join-'))
  const file = join(home, 'other.key')
  const dir = join(home, 'laptop')
  await writeSwarmKey(file, key)
  const ended = await inProcess(home, ['join', '--name', 'laptop', '--key', file, '--peer', address, '--dir', dir])
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
