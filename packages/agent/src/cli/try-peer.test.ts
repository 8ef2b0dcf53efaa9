import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { generateHostKey } from '../identity/host-key.ts'
import { generateSwarmKey } from '../identity/swarm-key.ts'
import { createOrigin } from '../shell/origin.ts'
import { createSwarm } from '../swarm/create-swarm.ts'
import type { Swarm } from '../swarm/swarm.ts'
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
  })
})

test('nobody at the address', async () => {
  await member.stop()
  expect(await attempt('laptop', swarmKey)).toMatchObject({
    isGood: false,
    line: expect.stringContaining(`nobody answers at ${peer}`),
  })
})
