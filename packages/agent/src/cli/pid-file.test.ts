import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hasOpen, type PidFile, readPid, takePidFile } from './pid-file.ts'

let dir: string
let path: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-pid-'))
  path = join(dir, 'listen.pid')
})

afterEach(() => rm(dir, { recursive: true }))

async function take(): Promise<PidFile> {
  const taken = await takePidFile(path)
  if ('heldBy' in taken) throw new Error(`held by ${taken.heldBy}`)
  return taken
}

test('it names its process, and nobody else gets it until it is released', async () => {
  const mine = await take()
  expect(await readFile(path, 'utf8')).toBe(`${process.pid}\n`)
  expect(await takePidFile(path)).toEqual({ heldBy: process.pid })
  await mine.release()
  expect(await readdir(dir)).toEqual([])
  await (await take()).release()
})

test('one that another has taken over is not removed', async () => {
  const mine = await take()
  await rm(path)
  const theirs = await take()
  await mine.release()
  expect(await readPid(path)).toBe(process.pid)
  await theirs.release()
})

test.each(['', 'nonsense\n', '-1\n', '0\n', '99999999999\n'])(
  'a file that says %j counts for nothing',
  async (text) => {
    await writeFile(path, text)
    expect(await readPid(path)).toBeUndefined()
    await (await take()).release()
  },
)

describe('a number that was left behind', () => {
  async function ended(): Promise<number> {
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    return child.pid ?? 0
  }

  test('of a process that is gone', async () => {
    await writeFile(path, `${await ended()}\n`)
    await (await take()).release()
  })

  test.skipIf(process.platform !== 'linux')('that is another program now', async () => {
    // This very process lives, and has nothing to do with the file.
    await writeFile(path, `${process.pid}\n`)
    expect(await hasOpen(process.pid, path)).toBe(false)
    await (await take()).release()
  })

  test('does count while its process has the file open', async () => {
    await writeFile(path, `${process.pid}\n`)
    const file = await open(path, 'r')
    expect(await takePidFile(path)).toEqual({ heldBy: process.pid })
    await file.close()
  })
})
