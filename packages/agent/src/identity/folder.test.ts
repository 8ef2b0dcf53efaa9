import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  checkFolder,
  createFolder,
  type FolderChoice,
  readApiToken,
  readOrCreateApiToken,
  resolveFolder,
} from './folder.ts'

const choice = (change: Partial<FolderChoice>): FolderChoice => ({
  env: {},
  homeDir: '/home/ann',
  workingDir: '/home/me/here',
  ...change,
})

describe('the folder that is meant', () => {
  test.each<[string, Partial<FolderChoice>, string]>([
    ['nothing said', {}, '/home/ann/.config/muster'],
    ['XDG_CONFIG_HOME', { env: { XDG_CONFIG_HOME: '/etc/xdg' } }, '/etc/xdg/muster'],
    ['a relative XDG_CONFIG_HOME', { env: { XDG_CONFIG_HOME: 'xdg' } }, '/home/ann/.config/muster'],
    ['MUSTER_DIR', { env: { MUSTER_DIR: '/srv/m', XDG_CONFIG_HOME: '/etc/xdg' } }, '/srv/m'],
    ['an empty MUSTER_DIR', { env: { MUSTER_DIR: '' } }, '/home/ann/.config/muster'],
    ['--dir', { dir: '/tmp/a', env: { MUSTER_DIR: '/srv/m' } }, '/tmp/a'],
    ['a relative --dir', { dir: '../a/' }, '/home/me/a'],
  ])('%s', (_, change, path) => {
    const folder = resolveFolder(choice(change))
    expect(folder.path).toBe(path)
    expect(folder.swarmKey).toBe(`${path}/swarm.key`)
  })
})

describe('on disk', () => {
  let base = ''
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'muster-folder-'))
  })
  afterEach(() => rm(base, { recursive: true }))
  const folderAt = (name: string, change: Partial<FolderChoice> = {}) =>
    resolveFolder(choice({ dir: join(base, name), ...change }))

  test('a new folder is closed to others, parents included', async () => {
    const folder = folderAt('a/b/muster')
    await expect(checkFolder(folder)).rejects.toMatchObject({ code: 'folder-missing' })
    await createFolder(folder)
    expect((await stat(folder.path)).mode & 0o777).toBe(0o700)
    await createFolder(folder)
  })

  test('the folder of the service lets its group in, and its group reads the token', async () => {
    const folder = folderAt('service', { serviceFolder: join(base, 'service') })
    await createFolder(folder)
    expect((await stat(folder.path)).mode & 0o777).toBe(0o750)
    const token = await readOrCreateApiToken(folder)
    expect((await stat(folder.apiToken)).mode & 0o777).toBe(0o640)
    expect(await readApiToken(folder)).toBe(token)
    await chmod(folder.apiToken, 0o644)
    await expect(readApiToken(folder)).rejects.toMatchObject({
      code: 'api-token-exposed',
      remedy: `type: chmod 640 ${folder.apiToken}`,
    })
  })

  test('a folder that others can enter is refused with the chmod to type', async () => {
    const folder = folderAt('open')
    await mkdir(folder.path)
    await chmod(folder.path, 0o750)
    const refusal = { code: 'folder-exposed', remedy: `type: chmod 700 ${folder.path}` }
    await expect(checkFolder(folder)).rejects.toMatchObject(refusal)
    await expect(createFolder(folder)).rejects.toMatchObject(refusal)
  })

  test('a file in its place is refused', async () => {
    await writeFile(join(base, 'file'), '')
    await expect(checkFolder(folderAt('file'))).rejects.toMatchObject({ code: 'folder-unusable' })
    await expect(createFolder(folderAt('file/below'))).rejects.toMatchObject({ code: 'folder-unusable' })
  })

  test('the token is made once, also when two ask at the same time', async () => {
    const folder = folderAt('token')
    await createFolder(folder)
    await expect(readApiToken(folder)).rejects.toMatchObject({ code: 'api-token-missing' })
    const tokens = await Promise.all([1, 2, 3].map(() => readOrCreateApiToken(folder)))
    expect(new Set(tokens).size).toBe(1)
    expect(tokens[0]).toMatch(/^[\w-]{43}$/)
    expect((await stat(folder.apiToken)).mode & 0o777).toBe(0o600)
    await writeFile(folder.apiToken, 'hello\n')
    await expect(readOrCreateApiToken(folder)).rejects.toMatchObject({ code: 'api-token-malformed' })
  })
})
