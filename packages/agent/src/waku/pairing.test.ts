import { randomBytes } from 'node:crypto'
import { encodeCanonical } from '@muster/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { awaitPairing } from './pairing.ts'
import { answerPairing } from './pairing-answer.ts'
import { createPairingLink, LINK_LIFE_MS, type PairingLink, parsePairingLink } from './pairing-link.ts'
import { pairingId, pairingKey } from './pairing-messages.ts'
import { systemClock } from './ports.ts'
import { generateKeyPair, sealWithSecret } from './seal.ts'
import { createCleanup, memoryLog, startNode, until } from './testing/kit.ts'
import { pairingTopic } from './topics.ts'

const cleanup = createCleanup()
afterEach(() => cleanup.run())

const mesh = generateKeyPair()
const clock = systemClock
const never = new AbortController().signal

function linkTo(nodes: readonly string[]): PairingLink {
  return {
    nodes,
    secret: new Uint8Array(randomBytes(32)),
    meshPublicKey: new Uint8Array(32).fill(7),
    expiresUnixMs: Math.floor((clock.unixMs() + LINK_LIFE_MS) / 1000) * 1000,
  }
}

const common = { clock, log: memoryLog(), signal: never }

describe('a pairing link', () => {
  const link = linkTo(['/ip4/192.0.2.7/tcp/4652/ws/p2p/12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'])

  test('says what was put in, in whatever text it stands', () => {
    const text = createPairingLink(link)
    expect(text).toMatch(/^muster:pair#[A-Za-z0-9_-]+$/)
    for (const form of [text, ` ${text}\n`, text.replace('muster:pair', 'https://status.example.org/receive')]) {
      expect(parsePairingLink(form, clock.unixMs())).toEqual(link)
    }
  })

  const code = createPairingLink(link)
  const middle = Math.floor(code.length / 2)
  const flipped = code.slice(0, middle) + (code[middle] === 'A' ? 'B' : 'A') + code.slice(middle + 1)
  test.each([
    ['nothing', '', 'link-malformed'],
    ['a word', 'hello', 'link-malformed'],
    ['a link cut short', code.slice(0, -5), 'link-malformed'],
    ['a link with one letter changed', flipped, 'link-malformed'],
    ['a very long text', `muster:pair#${'A'.repeat(100_000)}`, 'link-malformed'],
    ['an expired link', createPairingLink({ ...link, expiresUnixMs: 1000 }), 'link-expired'],
  ])('of %s is refused', (_name, text, expected) => {
    expect(() => parsePairingLink(text, clock.unixMs())).toThrow(expect.objectContaining({ code: expected }))
  })
})

describe('pairing', () => {
  test('gives the device’s key to the mesh and the mesh’s welcome to the device, once', async () => {
    const a = await startNode(cleanup, 1)
    const b = await startNode(cleanup, 2, { peers: [a.tcp] })
    const link = linkTo([b.ws])
    const device = generateKeyPair()
    const waiting = awaitPairing({ ...common, node: a.node, link, signingKey: mesh.privateKey })
    const answering = answerPairing({
      ...common,
      link: parsePairingLink(createPairingLink(link), clock.unixMs()),
      privateKey: device.privateKey,
      name: 'phone\u001b[31m',
      isGenuine: (welcome) => Buffer.from(welcome).toString() === 'you are in',
    })
    const paired = await waiting
    expect(paired.publicKey).toEqual(device.publicKey)
    expect(paired.name).toBe('phone[31m')
    expect(await paired.acknowledge(Buffer.from('you are in'), never)).toBe(true)
    const { welcome, signerPublicKey } = await answering
    expect(Buffer.from(welcome).toString()).toBe('you are in')
    expect(signerPublicKey).toEqual(mesh.publicKey)
  })

  test('refuses who has the link but not the key, and goes on waiting', async () => {
    const a = await startNode(cleanup, 1)
    const link = linkTo([a.ws])
    const log = memoryLog()
    const device = generateKeyPair()
    const waiting = awaitPairing({ ...common, log, node: a.node, link, signingKey: mesh.privateKey })
    const thief = generateKeyPair()
    const secret = pairingKey(link.secret)
    const contentTopic = pairingTopic('hello', link.secret)
    const id = pairingId(link.secret)
    const hello = { v: 1, id, key: device.publicKey, name: '' }
    // Another's key; a key that is proven, but for another link; no hello at all.
    const notTheirs = await sealWithSecret({ content: encodeCanonical(hello), secret, signingKey: thief.privateKey })
    const moved = encodeCanonical({ ...hello, id: new Uint8Array(32) })
    const otherLink = await sealWithSecret({ content: moved, secret, signingKey: device.privateKey })
    for (const payload of [notTheirs, otherLink, Buffer.alloc(300, 1)]) {
      await a.node.publish({ contentTopic, payload, timestampMs: clock.unixMs() }, never)
    }
    const answering = answerPairing({
      ...common,
      link,
      privateKey: device.privateKey,
      name: '',
      isGenuine: () => true,
    })
    const paired = await waiting
    expect(paired.publicKey).toEqual(device.publicKey)
    expect(log.lines.filter((line) => line.includes('refused an answer'))).toHaveLength(3)
    await paired.acknowledge(Buffer.of(1), never)
    await answering
  })

  test('of a link that another device has used ends as soon as a node is asked', async () => {
    const a = await startNode(cleanup, 1)
    const b = await startNode(cleanup, 2, { peers: [a.tcp] })
    const link = linkTo([b.ws])
    const isGenuine = (welcome: Uint8Array) => Buffer.from(welcome).toString() === 'you are in'
    const answerAs = (privateKey: Uint8Array) => answerPairing({ ...common, link, privateKey, name: '', isGenuine })
    const first = generateKeyPair()
    const answering = answerAs(first.privateKey)
    const paired = await awaitPairing({ ...common, node: a.node, link, signingKey: mesh.privateKey })
    await paired.acknowledge(Buffer.from('you are in'), never)
    await answering
    await expect(answerAs(generateKeyPair().privateKey)).rejects.toMatchObject({ code: 'link-used' })
    // The device that has used it finds its own welcome again.
    expect(Buffer.from((await answerAs(first.privateKey)).welcome).toString()).toBe('you are in')
  })

  test.each([
    ['what looks like a welcome and a hello, of who serves the node and not the link', ['welcome', 'forged hello']],
    ['the hello of a device that nobody took', ['hello']],
  ])('goes on waiting in spite of %s', async (_, put) => {
    const a = await startNode(cleanup, 1)
    const link = linkTo([a.ws])
    const other = generateKeyPair()
    const content = encodeCanonical({ v: 1, id: pairingId(link.secret), key: other.publicKey, name: '' })
    const helloWith = (secret: Uint8Array) => sealWithSecret({ content, secret, signingKey: other.privateKey })
    for (const what of put) {
      const side = what === 'welcome' ? 'welcome' : 'hello'
      const secret = what === 'hello' ? pairingKey(link.secret) : new Uint8Array(32)
      const payload = side === 'welcome' ? Buffer.alloc(800, 1) : await helloWith(secret)
      const contentTopic = pairingTopic(side, link.secret)
      await a.node.publish({ contentTopic, payload, timestampMs: clock.unixMs() }, never)
    }
    const log = memoryLog()
    const device = generateKeyPair()
    const answer = { ...common, log, link, privateKey: device.privateKey, name: '', isGenuine: () => true }
    const answering = answerPairing(answer)
    await until(() => log.lines.some((line) => line.includes('nobody has used the link before us')))
    // Nobody heard the first answer; the second is the same device's.
    const paired = awaitPairing({ ...common, node: a.node, link, signingKey: mesh.privateKey })
    const again = answerPairing({ ...answer, name: 'again' })
    await (await paired).acknowledge(Buffer.of(1), never)
    for (const each of [answering, again]) expect(Buffer.from((await each).welcome)).toEqual(Buffer.of(1))
  })

  test('ends with the link or the signal', async () => {
    const a = await startNode(cleanup, 1)
    const link = { ...linkTo([a.ws]), expiresUnixMs: clock.unixMs() + 300 }
    const sides = { ...common, node: a.node, link, signingKey: mesh.privateKey }
    await expect(awaitPairing(sides)).rejects.toMatchObject({ code: 'link-expired' })
    const signal = AbortSignal.abort(new Error('the user left'))
    await expect(awaitPairing({ ...sides, link: linkTo([a.ws]), signal })).rejects.toThrow('the user left')
  })
})
