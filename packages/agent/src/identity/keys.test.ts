import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { generateKeyPairFromSeed, privateKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { base58btc } from 'multiformats/bases/base58'
import { describe, expect, test } from 'vitest'
import {
  formatHostKey,
  generateHostKey,
  hostKeyOf,
  parseHostKey,
  publicKeyOfHost,
  readHostKey,
  verify,
  writeHostKey,
} from './host-key.ts'
import { meshKeyOf } from './mesh-key.ts'

const seedOf = (byte: number) => new Uint8Array(32).fill(byte)

describe('the host key', () => {
  test('has the peer id that libp2p gives it', async () => {
    for (const key of [hostKeyOf(seedOf(0)), hostKeyOf(seedOf(7)), generateHostKey(), generateHostKey()]) {
      const theirs = await generateKeyPairFromSeed('Ed25519', key.seed)
      expect(key.hostId).toBe(peerIdFromPrivateKey(theirs).toString())
      expect(key.publicKey).toEqual(theirs.publicKey.raw)
      expect(publicKeyOfHost(key.hostId)).toEqual(theirs.publicKey.raw)
      expect(peerIdFromPrivateKey(privateKeyFromRaw(Buffer.concat([key.seed, key.publicKey]))).toString()).toBe(
        key.hostId,
      )
      const bytes = new Uint8Array([1, 2, 3])
      expect(await theirs.publicKey.verify(bytes, key.sign(bytes))).toBe(true)
      expect(verify(key.hostId, bytes, await theirs.sign(bytes))).toBe(true)
    }
  })

  test('keeps its bytes for ever', () => {
    const key = hostKeyOf(seedOf(1))
    expect(key.hostId).toBe('12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5')
    expect(formatHostKey(key)).toBe(`muster identity key 1\n${'01'.repeat(32)}\n`)
  })

  test('does not show its seed when it is logged', () => {
    const key = hostKeyOf(seedOf(0xab))
    expect(inspect(key)).not.toContain('171')
    expect(JSON.stringify(key)).not.toContain('171')
  })

  test.each([
    ['empty', ''],
    ['no id', 'laptop'],
    ['a letter that base58 lacks', '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH0'],
    ['a letter short', '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH'],
    ['an RSA id', 'QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR'],
    ['another key type', base58btc.baseEncode(Buffer.concat([Buffer.from('002408021220', 'hex'), seedOf(9)]))],
    ['endless', '1'.repeat(100_000)],
  ])('an id that is %s verifies nothing', (_, hostId) => {
    expect(() => publicKeyOfHost(hostId)).toThrow(expect.objectContaining({ code: 'malformed' }))
    expect(verify(hostId, new Uint8Array(), new Uint8Array(64))).toBe(false)
  })

  test('a signature is worth nothing for other bytes, another host, or when it is cut', () => {
    const [mine, yours] = [hostKeyOf(seedOf(1)), hostKeyOf(seedOf(2))]
    const bytes = new Uint8Array([1, 2, 3])
    const signature = mine.sign(bytes)
    expect(verify(mine.hostId, bytes, signature)).toBe(true)
    expect(verify(yours.hostId, bytes, signature)).toBe(false)
    expect(verify(mine.hostId, new Uint8Array([1, 2]), signature)).toBe(false)
    expect(verify(mine.hostId, bytes, signature.slice(1))).toBe(false)
    expect(verify(mine.hostId, bytes, new Uint8Array(64))).toBe(false)
  })

  test('is kept in a file that only its owner reads', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'muster-host-key-'))
    try {
      const path = join(folder, 'identity.key')
      await expect(readHostKey(path)).rejects.toMatchObject({ code: 'identity-key-missing' })
      const key = generateHostKey()
      await writeHostKey(path, key)
      expect((await stat(path)).mode & 0o777).toBe(0o600)
      expect((await readHostKey(path)).hostId).toBe(key.hostId)
      await expect(writeHostKey(path, key)).rejects.toMatchObject({ code: 'identity-key-exists' })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test.each([
    ['another first line', `/key/swarm/psk/1.0.0/\n${'01'.repeat(32)}\n`, 1],
    ['a short seed', `muster identity key 1\n${'01'.repeat(31)}\n`, 2],
    ['no seed', 'muster identity key 1', 2],
    ['a third line', `muster identity key 1\n${'01'.repeat(32)}\nx\n`, 3],
  ])('a file with %s is refused with its line', (_, text, line) => {
    expect(() => parseHostKey(text, 'identity.key')).toThrow(
      expect.objectContaining({ code: 'identity-key-malformed', line }),
    )
  })
})

describe('the mesh key', () => {
  test('keeps its bytes for ever', () => {
    const key = meshKeyOf(seedOf(1))
    expect(key.meshId).toBe('2576cfb2f97d194f8e8ded529e1701e9')
    expect(Buffer.from(key.publicKey).toString('hex')).toBe(
      '48570cdee2f394a5abf40514ab96a083c23b7623c47f2214b859041a6b5da720',
    )
  })

  test('is alike on every host with the swarm key, and unlike with another', () => {
    expect(meshKeyOf(seedOf(3)).meshId).toBe(meshKeyOf(seedOf(3)).meshId)
    expect(meshKeyOf(seedOf(3)).meshId).not.toBe(meshKeyOf(seedOf(4)).meshId)
  })
})
