import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Folder, readApiToken, resolveFolder } from '../identity/folder.ts'
import { mountSmallDisk, type SmallDisk, whyNoSmallDisk } from '../storage/testing/small-disk.ts'
import { createAgentToken } from './agent-token.ts'

const folderAt = (dir: string): Folder => resolveFolder({ dir, env: {}, homeDir: '/', workingDir: '/' })

function createTestLog() {
  const lines: string[] = []
  const at = (level: string) => (phrase: string) => void lines.push(`${level} ${phrase}`)
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn') } }
}

describe('in a folder that takes files', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'muster-token-'))
  })
  afterEach(() => rm(dir, { recursive: true }))

  test('it is made once, and stays', async () => {
    const { lines, log } = createTestLog()
    const token = createAgentToken(folderAt(dir), log)
    const text = await token.get()
    expect(await token.get()).toBe(text)
    expect(await readApiToken(folderAt(dir))).toBe(text)
    expect(await createAgentToken(folderAt(dir), log).get()).toBe(text)
    expect(lines).toEqual([])
    token.stop()
  })

  test('one that the user has to mend is not passed over', async () => {
    await writeFile(join(dir, 'api.token'), 'nonsense', { mode: 0o600 })
    const token = createAgentToken(folderAt(dir), createTestLog().log)
    await expect(token.get()).rejects.toMatchObject({ code: 'api-token-malformed' })
  })
})

const why = whyNoSmallDisk()
describe.skipIf(why !== null)(`on a disk that takes no files${why === null ? '' : ` (${why})`}`, () => {
  let disk: SmallDisk
  beforeEach(() => {
    disk = mountSmallDisk('1m')
  })
  afterEach(() => disk.unmount())

  test.each([
    ['read-only', (on: SmallDisk) => on.remount('ro'), (on: SmallDisk) => on.remount('rw')],
    ['full', (on: SmallDisk) => on.fill(), (on: SmallDisk) => on.makeRoom()],
  ])('(%s) it is held in memory, and written once the disk takes it', async (_, spoil, mend) => {
    spoil(disk)
    const { lines, log } = createTestLog()
    const token = createAgentToken(folderAt(disk.path), log, 5)
    const text = await token.get()
    expect(text).toMatch(/^[\w-]{43}$/)
    expect(await token.get()).toBe(text)
    expect(lines).toEqual([
      'warn the API token cannot be written: until it is, commands that change something are refused',
    ])
    await expect(readApiToken(folderAt(disk.path))).rejects.toMatchObject({ code: 'api-token-missing' })
    mend(disk)
    await vi.waitFor(() => expect(lines).toHaveLength(2))
    expect(await readFile(join(disk.path, 'api.token'), 'utf8')).toBe(`${text}\n`)
    // No draft is left of all the tries that failed.
    expect(readdirSync(disk.path)).toEqual(['api.token'])
    token.stop()
  })
})
