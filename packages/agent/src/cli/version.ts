/** Which release this is. */
import { readFileSync } from 'node:fs'

/** The version in the agent's package.json. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}
