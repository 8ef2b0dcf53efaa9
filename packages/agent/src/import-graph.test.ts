import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** What files import when they are loaded: sources reached from `entry`, and the names of packages. Types cost nothing. */
async function loadedFrom(entry: string): Promise<{ readonly files: Set<string>; readonly packages: Set<string> }> {
  const files = new Set<string>()
  const packages = new Set<string>()
  const waiting = [new URL(entry, import.meta.url).href]
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    if (files.has(url)) continue
    files.add(url)
    const text = await readFile(fileURLToPath(url), 'utf8')
    for (const [, what = '', name = ''] of text.matchAll(/^(?:import|export) ([^'";]*?from )?'([^']+)'/gmsu)) {
      if (what.startsWith('type ')) continue
      if (name.startsWith('.')) waiting.push(new URL(name, url).href)
      else packages.add(name)
    }
  }
  return { files, packages }
}

/** The stock Waku client brings a second libp2p and some 60 MB: only who receives notices loads it. */
test('the agent does not load the stock Waku client, the receiving side does', async () => {
  const agent = await loadedFrom('./cli/commands/run.ts')
  expect([...agent.packages]).toContain('libp2p')
  expect([...agent.packages]).not.toContain('@waku/sdk')
  expect([...agent.packages]).not.toContain('qrcode')
  expect([...(await loadedFrom('./cli/commands/listen.ts')).packages]).toContain('@waku/sdk')
})
