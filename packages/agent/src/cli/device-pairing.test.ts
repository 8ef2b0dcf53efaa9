/** `muster listen`: one listener for each folder, and a pairing that nobody answers. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createFolder, type Folder, resolveFolder } from '../identity/folder.ts'
import { awaitPairing } from '../waku/pairing.ts'
import { answerPairing } from '../waku/pairing-answer.ts'
import { createPairingLink, type PairingLink } from '../waku/pairing-link.ts'
import { systemClock } from '../waku/ports.ts'
import { generateKeyPair } from '../waku/seal.ts'
import { createCleanup, startNode } from '../waku/testing/kit.ts'
import { pairDevice } from './device-pairing.ts'
import { EMPTY_MEMORY } from './listen-intervals.ts'
import { listenStatePath, readOrCreateListenKey, writeListenState } from './listen-store.ts'
import { contextOf } from './surroundings.ts'
import { inProcess, surroundingsIn } from './testing/in-process.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/muster.js', import.meta.url))
/** Nobody listens there. */
const NODE = '/ip4/127.0.0.1/tcp/1/ws/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined }

const cleanup = createCleanup()
let home: string
let folder: Folder

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-device-'))
  folder = resolveFolder({ dir: 'phone', env: {}, homeDir: home, workingDir: home })
})

afterEach(async () => {
  await cleanup.run()
  await rm(home, { recursive: true })
})

function link(lifeMs = 3_600_000): PairingLink {
  const secret = new Uint8Array(32).fill(7)
  return { nodes: [NODE], secret, meshPublicKey: new Uint8Array(32).fill(1), expiresUnixMs: Date.now() + lifeMs }
}

test('a link that nobody answers is given up: first a word where it knocks and until when, then exit code 1', async () => {
  await createFolder(folder)
  const { surroundings, said } = surroundingsIn(home)
  const context = contextOf(surroundings, { dir: folder.path })
  const key = await readOrCreateListenKey(folder)
  const pairing = pairDevice(
    context,
    { link: link(), key, before: null, name: 'phone' },
    { patienceMs: 10, limitMs: 900 },
  )
  await expect(pairing).rejects.toMatchObject({
    code: 'no-answer',
    exitCode: 1,
    message: expect.stringContaining('this one was used or ended, or its hosts cannot be reached'),
  })
  expect(said.err).toMatch(
    /No answer yet, trying until (?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d \S+\. The link may have been used or ended,/,
  )
  expect(said.err).toContain(NODE)
  await expect(stat(listenStatePath(folder))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a link that another device has used is refused as soon as a node is asked: exit code 2, and what to do', async () => {
  const mesh = generateKeyPair()
  const { node, ws } = await startNode(cleanup, 1)
  const used = { ...link(), nodes: [ws] }
  const never = new AbortController().signal
  const both = { link: used, clock: systemClock, log: SILENT, signal: never }
  const other = answerPairing({ ...both, privateKey: mesh.privateKey, name: 'tablet', isGenuine: () => true })
  const taken = await awaitPairing({ ...both, node, signingKey: mesh.privateKey })
  await taken.acknowledge(Buffer.of(1), never)
  await other
  const text = createPairingLink(used)
  const ended = await inProcess(home, ['listen', '--dir', folder.path, text])
  expect(ended).toEqual({ code: 2, out: '', err: expect.stringContaining('Pairing…\n') })
  expect(ended.err.split('\n').slice(1)).toEqual([
    'muster: this link was used already, by another device',
    '  make a new link on a host with `recipient add NAME`',
    '',
  ])
})

test('a link that is mangled or over leaves no folder behind', async () => {
  const over = createPairingLink({ ...link(), expiresUnixMs: Date.now() - 5_000 })
  for (const text of ['muster:pair#broken', over]) {
    expect(await inProcess(home, ['listen', '--dir', folder.path, text])).toMatchObject({ code: 2 })
  }
  await expect(stat(folder.path)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a listener names its process; a second one on the folder is refused; its end takes the file away', async () => {
  await createFolder(folder)
  await readOrCreateListenKey(folder)
  await writeListenState(folder, {
    meshPublicKey: new Uint8Array(32).fill(1),
    meshWakuKey: new Uint8Array(65).fill(2),
    recipient: 'phone',
    nodes: [NODE],
    memory: EMPTY_MEMORY,
  })
  const pidPath = join(folder.path, 'listen.pid')
  const child: ChildProcess = spawn(process.execPath, [LAUNCHER, 'listen', '--dir', folder.path], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  try {
    await vi.waitFor(async () => expect(await readFile(pidPath, 'utf8')).toBe(`${child.pid}\n`), { timeout: 60_000 })
    const second = await inProcess(home, ['listen', '--dir', folder.path])
    expect(second.code).toBe(2)
    expect(second.err).toContain(`another muster listens on ${folder.path} already (pid ${child.pid})`)
    expect(second.err.trimEnd().split('\n')).toHaveLength(2)
    expect(await readFile(pidPath, 'utf8')).toBe(`${child.pid}\n`)
    process.kill(child.pid ?? 0, 'SIGTERM')
    expect(await ended).toEqual([0, null])
    await expect(stat(pidPath)).rejects.toMatchObject({ code: 'ENOENT' })
  } finally {
    child.kill('SIGKILL')
  }
}, 120_000)
