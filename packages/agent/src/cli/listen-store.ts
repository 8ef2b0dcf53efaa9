/** What `muster listen` keeps in the folder: its own key, and with whom it is paired. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { configError } from '../config/errors.ts'
import type { Folder } from '../identity/folder.ts'
import { exists, type KeyFileWords, readKeyFile, replaceFile, systemCode, writeKeyFile } from '../identity/key-file.ts'
import { generateKeyPair, publicKeyOf, type WakuKeyPair } from '../waku/seal.ts'
import { EMPTY_MEMORY, type Memory } from './listen-intervals.ts'

const HEADER = 'muster listen key 1'
const WORDS: KeyFileWords = {
  code: 'listen-key',
  noun: 'listen key',
  whenMissing: 'pair again: make a link on a host with `recipient add NAME`, then here: muster listen LINK',
}
const VERSION = 1
const ID = z.string().max(64)

const told = z.looseObject({ id: ID, aliases: z.array(ID), host: ID, check: z.string() })
const interval = z.strictObject({
  host: ID,
  check: z.string(),
  ids: z.array(ID),
  sinceUnixMs: z.number(),
  shown: z.array(z.string()),
  held: z.array(
    z.strictObject({
      head: z.strictObject({ mesh: z.string(), toldBy: z.string(), writtenUnixMs: z.number() }),
      incident: told,
    }),
  ),
})
const schema = z.strictObject({
  version: z.literal(VERSION),
  meshPublicKey: z.string().regex(/^[0-9a-f]{64}$/),
  meshWakuKey: z.string().regex(/^[0-9a-f]{130}$/),
  recipient: z.string().max(64),
  nodes: z.array(z.string().max(512)).max(64),
  memory: z.strictObject({ open: z.array(interval), closed: z.array(ID) }),
})

/** With whom a device is paired, and what it has shown. */
export interface ListenState {
  /** The mesh's Ed25519 public key: only what leads to it is shown. */
  readonly meshPublicKey: Uint8Array
  /** The mesh's Waku key: answers are sealed to it. */
  readonly meshWakuKey: Uint8Array
  /** What the mesh calls this device. */
  readonly recipient: string
  readonly nodes: readonly string[]
  readonly memory: Memory
}

/** The path of the state. */
export function listenStatePath(folder: Folder): string {
  return join(folder.path, 'listen.json')
}

/** This device's key; made when there is none. Throws a `ConfigError`. */
export async function readOrCreateListenKey(folder: Folder): Promise<WakuKeyPair> {
  if (!(await exists(folder.listenKey))) {
    const made = generateKeyPair()
    await writeKeyFile(folder.listenKey, `${HEADER}\n${Buffer.from(made.privateKey).toString('hex')}\n`, WORDS)
    return made
  }
  return await readKeyFile(folder.listenKey, WORDS, (text) => parseKey(text, folder.listenKey))
}

function parseKey(text: string, file: string): WakuKeyPair {
  const [header, digits = ''] = text.split('\n')
  if (header !== HEADER || !/^[0-9a-f]{64}$/.test(digits)) {
    const remedy = 'move it away and pair again: muster listen LINK'
    throw configError({ code: 'listen-key-malformed', file, what: 'this is no listen key', remedy })
  }
  const privateKey = new Uint8Array(Buffer.from(digits, 'hex'))
  return { privateKey, publicKey: publicKeyOf(privateKey) }
}

/** The state, or null when this folder was never paired. Throws a `ConfigError` `listen-state-damaged`. */
export async function readListenState(folder: Folder): Promise<ListenState | null> {
  const file = listenStatePath(folder)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return null
    throw cause
  }
  const damaged = (cause?: unknown) => {
    const remedy = 'move it away and pair again: muster listen LINK'
    return configError(
      { code: 'listen-state-damaged', file, what: 'this is not what muster listen wrote', remedy },
      { cause },
    )
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw damaged(cause)
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw damaged(parsed.error)
  const { meshPublicKey, meshWakuKey, recipient, nodes, memory } = parsed.data
  return {
    meshPublicKey: new Uint8Array(Buffer.from(meshPublicKey, 'hex')),
    meshWakuKey: new Uint8Array(Buffer.from(meshWakuKey, 'hex')),
    recipient,
    nodes,
    // Its incidents were checked when they came; here only what they are found by is checked again.
    memory: memory as unknown as Memory,
  }
}

/** Replaces the state, whole and on disk before it returns. */
export async function writeListenState(folder: Folder, state: ListenState): Promise<void> {
  const { meshPublicKey, meshWakuKey, recipient, nodes, memory } = state
  const value = {
    version: VERSION,
    meshPublicKey: Buffer.from(meshPublicKey).toString('hex'),
    meshWakuKey: Buffer.from(meshWakuKey).toString('hex'),
    recipient,
    nodes,
    memory,
  }
  await replaceFile(listenStatePath(folder), `${JSON.stringify(value)}\n`)
}

/** The state of a device that has just been paired. */
export function pairedState(paired: Omit<ListenState, 'memory'>, before: ListenState | null): ListenState {
  return { ...paired, memory: before?.memory ?? EMPTY_MEMORY }
}
