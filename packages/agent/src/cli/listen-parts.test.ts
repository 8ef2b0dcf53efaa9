/** What `muster listen` keeps and passes on. */
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Folder, resolveFolder } from '../identity/folder.ts'
import { EMPTY_MEMORY } from './listen-intervals.ts'
import { listenStatePath, readListenState, readOrCreateListenKey, writeListenState } from './listen-store.ts'
import { type Passed, postToBridge, readBridge, runProgram } from './passing-on.ts'

let folder: Folder
let server: Server
let asked: { url: string; authorization: string | undefined; body: unknown }[]
let answers: number[]

beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'muster-listen-'))
  folder = resolveFolder({ dir, env: {}, homeDir: dir, workingDir: dir })
  asked = []
  answers = []
  server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    request.on('end', () => {
      asked.push({ url: request.url ?? '', authorization: request.headers.authorization, body: JSON.parse(text) })
      response.writeHead(answers.shift() ?? 200).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder.path, { recursive: true })
})

const PASSED: Passed = {
  notice: { mesh: 'm', transition: 'fired', incidents: [], massDeath: false, toldBy: 'nas', writtenUnixMs: 1 },
  teller: 'nas',
  heading: 'CRITICAL',
  text: 'CRITICAL  vps-1 is silent $(touch /tmp/owned)',
}

function bridge() {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return readBridge(`http://127.0.0.1:${port}`, 'home', 'secret')
}

test('the key is made once, for its owner alone', async () => {
  const key = await readOrCreateListenKey(folder)
  expect((await stat(folder.listenKey)).mode & 0o777).toBe(0o600)
  expect(await readOrCreateListenKey(folder)).toEqual(key)
  await chmod(folder.listenKey, 0o644)
  await expect(readOrCreateListenKey(folder)).rejects.toMatchObject({ code: 'listen-key-exposed' })
})

test('the state comes back as it was, and a damaged one is told, never replaced', async () => {
  expect(await readListenState(folder)).toBeNull()
  const state = {
    meshPublicKey: new Uint8Array(32).fill(1),
    meshWakuKey: new Uint8Array(65).fill(2),
    recipient: 'phone',
    nodes: ['/ip4/127.0.0.1/tcp/1/ws'],
    memory: { ...EMPTY_MEMORY, closed: ['a'] },
  }
  await writeListenState(folder, state)
  expect(await readListenState(folder)).toEqual(state)
  expect((await stat(listenStatePath(folder))).mode & 0o777).toBe(0o600)
  await writeFile(listenStatePath(folder), '{"version":1}')
  await expect(readListenState(folder)).rejects.toMatchObject({ code: 'listen-state-damaged' })
  expect(await readFile(listenStatePath(folder), 'utf8')).toBe('{"version":1}')
})

test('a bridge gets text, name and gateway, with the token', async () => {
  expect(await postToBridge(bridge(), PASSED, new AbortController().signal)).toBeUndefined()
  expect(asked).toEqual([
    {
      url: '/api/message',
      authorization: 'Bearer secret',
      body: { text: PASSED.text, username: 'muster (nas)', gateway: 'home' },
    },
  ])
})

test('a bridge that fails is tried again; one that refuses is not', async () => {
  answers = [503, 200]
  expect(await postToBridge(bridge(), PASSED, new AbortController().signal)).toBeUndefined()
  expect(asked).toHaveLength(2)
  answers = [401]
  expect(await postToBridge(bridge(), PASSED, new AbortController().signal)).toBe('the bridge answered 401')
  expect(asked).toHaveLength(3)
})

test('a program gets the notice on its standard input, and nothing of it in its arguments', async () => {
  const file = join(folder.path, 'seen.json')
  const script = `process.stdin.pipe(require('node:fs').createWriteStream(${JSON.stringify(file)}))`
  expect(await runProgram([process.execPath, '-e', script], PASSED)).toBeUndefined()
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
    text: PASSED.text,
    transition: 'fired',
    verified: true,
  })
  expect(await runProgram([process.execPath, '-e', 'process.exit(3)'], PASSED)).toContain('ended with 3')
  expect(await runProgram(['/no/such/program'], PASSED)).toContain('cannot be run')
})
