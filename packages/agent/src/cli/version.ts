/** Which release this is. */
import manifest from '../../package.json' with { type: 'json' }

/** The version in the agent's package.json. */
export function readVersion(): string {
  return manifest.version
}
