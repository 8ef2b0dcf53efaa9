import { expect, test } from 'vitest'
import { resolveFolder } from '../identity/folder.ts'
import { launcherOf, typedText } from './typed-command.ts'

const place = { homeDir: '/home/ada', workingDir: '/home/ada/muster' }
/** What npm 11 sets for `npx muster`, `npm exec muster` and `npm run demo`, as far as it is looked at. */
const NPX = { npm_config_user_agent: 'npm/11.19.1 node/v24.21.0 linux x64', npm_lifecycle_event: 'npx' }

function typed(text: string, { dir, env = {} }: { dir?: string; env?: Record<string, string> } = {}): string {
  return typedText({ env, ...place, folder: resolveFolder({ dir, env, ...place }) }, text)
}

test.each([
  [
    'start it with: muster run (the first time: muster init)',
    'start it with: muster run (the first time: muster init)',
  ],
  ['Next:  muster run', 'Next:  muster run'],
])('a muster on the PATH and the default folder: %s', (text, expected) => {
  expect(typed(text)).toBe(expected)
})

test.each([
  ['Next:  muster run', 'Next:  npx muster run --dir /x/a'],
  ['  muster check list shows the names', '  npx muster check list --dir /x/a shows the names'],
  ['Nobody yet: muster recipient add phone', 'Nobody yet: npx muster recipient add --dir /x/a phone'],
  [
    'make one with: muster init or muster join',
    'make one with: npx muster init --dir /x/a or npx muster join --dir /x/a',
  ],
  ['there is none. muster --help lists them all', 'there is none. npx muster --help lists them all'],
  ['measure: muster simulate --hosts 13', 'measure: npx muster simulate --hosts 13'],
  ['muster: another muster runs on this folder', 'muster: another muster runs on this folder'],
  ['this is not what muster listen wrote', 'this is not what muster listen wrote'],
])('npx and another folder: %s', (text, expected) => {
  expect(typed(text, { dir: '/x/a', env: NPX })).toBe(expected)
})

test('a folder is named whether --dir or MUSTER_DIR said so, in quotes where it needs them', () => {
  expect(typed(': muster run', { dir: '/x/my host' })).toBe(": muster run --dir '/x/my host'")
  expect(typed(': muster run', { env: { MUSTER_DIR: '/x/a' } })).toBe(': muster run --dir /x/a')
  expect(typed(': muster run', { dir: '../.config/muster' })).toBe(': muster run')
  expect(typed(': muster run', { dir: '/home/ada/try/laptop' })).toBe(': muster run --dir ~/try/laptop')
  expect(typed(': muster run', { dir: '/home/ada/my host' })).toBe(": muster run --dir '/home/ada/my host'")
  expect(typed(': muster run', { dir: '/home/adam' })).toBe(': muster run --dir /home/adam')
})

test('only what npm has started is typed with npx', () => {
  expect(launcherOf(NPX)).toBe('npx muster')
  expect(launcherOf({ ...NPX, npm_lifecycle_event: 'demo' })).toBe('npx muster')
  expect(launcherOf({})).toBe('muster')
  // Set by hand, or by another package manager.
  expect(launcherOf({ npm_config_user_agent: NPX.npm_config_user_agent })).toBe('muster')
  expect(launcherOf({ npm_config_user_agent: 'pnpm/10', npm_lifecycle_event: 'npx' })).toBe('muster')
})
