import { getPublicKey } from '@waku/message-encryption'
import { createDecoder, generatePrivateKey } from '@waku/message-encryption/ecies'
import { createRoutingInfo } from '@waku/utils'
import { describe, expect, test } from 'vitest'
import { CONTENT_BYTES_MAX, FRAME_BYTES, frame, unframe } from './framing.ts'
import { makeMessage } from './message.ts'
import { CLUSTER_ID, PUBSUB_TOPIC, SHARD } from './network.ts'
import {
  deriveKeyPair,
  generateKeyPair,
  open,
  openWithSecret,
  parsePublicKey,
  publicKeyOf,
  seal,
  sealWithSecret,
} from './seal.ts'
import { currentTopic, pairingTopic, recipientTopic, TOPIC_PERIOD_MS, topicsAround } from './topics.ts'

const device = generateKeyPair()
const mesh = generateKeyPair()
const sealed = (content: Uint8Array): Promise<Uint8Array> =>
  seal({ content, recipientPublicKey: device.publicKey, signingKey: mesh.privateKey })

describe('a seal', () => {
  test('opens for its recipient and names who signed', async () => {
    const opened = await open(await sealed(Buffer.from('news')), device.privateKey)
    expect(Buffer.from(opened.content).toString()).toBe('news')
    expect(opened.signerPublicKey).toEqual(mesh.publicKey)
  })

  test('opens with the stock decoder, for a key that the stock library made', async () => {
    const privateKey = generatePrivateKey()
    const content = Buffer.from('news')
    const payload = await seal({ content, recipientPublicKey: getPublicKey(privateKey), signingKey: mesh.privateKey })
    const message = makeMessage({ contentTopic: '/muster/1/test/proto', payload, timestampMs: 5 })
    const routingInfo = createRoutingInfo({ clusterId: CLUSTER_ID }, { shardId: SHARD })
    const decoder = createDecoder('/muster/1/test/proto', routingInfo, privateKey)
    const wire = await decoder.fromWireToProtoObj(message.bytes)
    const decoded = wire && (await decoder.fromProtoObj(PUBSUB_TOPIC, wire))
    expect(decoded?.hashStr).toBe(message.hash)
    expect(Buffer.from(unframe(decoded?.payload ?? new Uint8Array())).toString()).toBe('news')
    expect(decoded).toMatchObject({ signaturePublicKey: mesh.publicKey })
  })

  test('with a secret opens with that secret only', async () => {
    const secret = new Uint8Array(32).fill(9)
    const payload = await sealWithSecret({ content: Buffer.from('hi'), secret, signingKey: device.privateKey })
    expect((await openWithSecret(payload, secret)).signerPublicKey).toEqual(device.publicKey)
    await expect(openWithSecret(payload, new Uint8Array(32))).rejects.toMatchObject({ code: 'bad-message' })
  })

  test('does not open for others, nor altered in any part', async () => {
    const payload = await sealed(Buffer.from('news'))
    await expect(open(payload, mesh.privateKey)).rejects.toMatchObject({ code: 'bad-message' })
    for (const at of [0, 40, 70, 100, payload.byteLength - 1]) {
      const altered = payload.slice()
      altered[at] = (altered[at] ?? 0) ^ 1
      await expect(open(altered, device.privateKey)).rejects.toMatchObject({ code: 'bad-message' })
    }
    for (const bytes of [new Uint8Array(), Buffer.alloc(113, 4), Buffer.alloc(5000)]) {
      await expect(open(bytes, device.privateKey)).rejects.toMatchObject({ code: 'bad-message' })
    }
  })

  test('shows only the size class of its content', async () => {
    const sizes = new Set<number>()
    for (const bytes of [0, 1, 100, 507]) sizes.add((await sealed(new Uint8Array(bytes))).byteLength)
    expect([...sizes]).toEqual([881])
    expect((await sealed(new Uint8Array(508))).byteLength).toBe(1393)
  })
})

describe('a frame', () => {
  test.each(FRAME_BYTES.map((bytes) => [bytes]))('of %i bytes holds 5 bytes less', (bytes) => {
    const content = new Uint8Array(bytes - 5).fill(3)
    expect(frame(content).byteLength).toBe(bytes)
    expect(unframe(frame(content))).toEqual(content)
  })

  test('cannot hold more than the largest class', () => {
    expect(() => frame(new Uint8Array(CONTENT_BYTES_MAX + 1))).toThrow(expect.objectContaining({ code: 'too-large' }))
  })

  test.each([
    ['nothing', []],
    ['another version', [2, 0, 0, 0, 0]],
    ['a length beyond its end', [1, 0, 0, 0, 9, 1, 2]],
    ['an enormous length', [1, 255, 255, 255, 255, 1]],
  ])('of %s is refused', (_name, bytes) => {
    expect(() => unframe(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'bad-message' }))
  })
})

describe('keys', () => {
  test('are read in the forms that people paste', () => {
    const hex = Buffer.from(device.publicKey).toString('hex')
    const compressed = `${(device.publicKey[64] ?? 0) % 2 === 0 ? '02' : '03'}${hex.slice(2, 66)}`
    for (const form of [hex, `0x${hex}`, ` ${hex.toUpperCase()} `, compressed, device.publicKey]) {
      expect(parsePublicKey(form)).toEqual(device.publicKey)
    }
    for (const form of ['', 'zz', hex.slice(2), `${hex}00`, '04'.repeat(65)]) {
      expect(() => parsePublicKey(form)).toThrow(expect.objectContaining({ code: 'bad-key' }))
    }
  })

  test('derive alike from the same secret and apart by label', () => {
    const secret = new Uint8Array(32).fill(1)
    expect(deriveKeyPair(secret, 'notice')).toEqual(deriveKeyPair(secret, 'notice'))
    expect(deriveKeyPair(secret, 'other').privateKey).not.toEqual(deriveKeyPair(secret, 'notice').privateKey)
    // Golden: a change of the formula is a new version.
    expect(Buffer.from(deriveKeyPair(secret, 'notice').privateKey).toString('hex')).toMatchInlineSnapshot(
      `"b5e413f2858cc38eccc8f7187464a69eb43d3824c44643b17f2752d3b0196810"`,
    )
    expect(() => publicKeyOf(new Uint8Array(32))).toThrow(expect.objectContaining({ code: 'bad-key' }))
  })
})

describe('content topics', () => {
  // The generator of the curve: the public key of the private key 1.
  const publicKey = publicKeyOf(Uint8Array.from({ length: 32 }, (_, index) => (index === 31 ? 1 : 0)))

  test('are the documented hashes', () => {
    expect(recipientTopic('notice', publicKey, 2971)).toMatchInlineSnapshot(
      `"/muster/1/79e5eedc26f80852ce7a78a09fe1bc78/proto"`,
    )
    expect(recipientTopic('answer', publicKey, 2971)).toMatchInlineSnapshot(
      `"/muster/1/f037a9ce1321d602f82911adf8badd5f/proto"`,
    )
    expect(pairingTopic('hello', new Uint8Array(32))).toMatchInlineSnapshot(
      `"/muster/1/ce15405f6bb540889bf2d36297465067/proto"`,
    )
    expect(pairingTopic('welcome', new Uint8Array(32))).toMatchInlineSnapshot(
      `"/muster/1/550217c8f72d24c8caf86c9545317b1f/proto"`,
    )
  })

  test('change each week, and a receiver asks for the weeks around', () => {
    const start = 2971 * TOPIC_PERIOD_MS
    expect(currentTopic('notice', publicKey, start - 1)).toBe(recipientTopic('notice', publicKey, 2970))
    expect(currentTopic('notice', publicKey, start)).toBe(recipientTopic('notice', publicKey, 2971))
    expect(topicsAround('notice', publicKey, start)).toEqual(
      [2970, 2971, 2972].map((period) => recipientTopic('notice', publicKey, period)),
    )
    expect(topicsAround('notice', publicKey, 0)).toHaveLength(2)
  })
})
