import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inProcess } from './testing/in-process.ts'

test.each([
  ['silence', ['silence', 'vps-1', 'laptop', '--for', '1h']],
  ['init', ['init', '--name', 'px', 'extra']],
  ['recipient list', ['recipient', 'list', 'extra']],
])('%s with a word too many does nothing: exit code 2', async (_, argv) => {
  const home = await mkdtemp(join(tmpdir(), 'muster-words-'))
  const ended = await inProcess(home, argv)
  expect(ended).toEqual({ code: 2, out: '', err: expect.stringContaining('too many arguments') })
  expect(await readdir(home)).toEqual([])
  await rm(home, { recursive: true })
})
