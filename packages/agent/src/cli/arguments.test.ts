import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from './program.ts'

test.each([
  ['silence', ['silence', 'vps-1', 'laptop', '--for', '1h']],
  ['init', ['init', '--name', 'px', 'extra']],
  ['recipient list', ['recipient', 'list', 'extra']],
])('%s with a word too many does nothing: exit code 2', async (_, argv) => {
  const home = await mkdtemp(join(tmpdir(), 'muster-words-'))
  let said = ''
  const code = await runCli(argv, {
    env: {},
    workingDir: home,
    homeDir: home,
    out: () => undefined,
    err: (text) => {
      said += text
    },
    isTerminal: false,
    columns: () => 80,
    interrupted: () => new AbortController().signal,
  })
  expect({ code, said }).toEqual({ code: 2, said: expect.stringContaining('too many arguments') })
  expect(await readdir(home)).toEqual([])
  await rm(home, { recursive: true })
})
