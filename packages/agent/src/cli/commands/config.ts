/** `muster config check|show|schema|reload`. */
import { hostname } from 'node:os'
import { hostNameOf } from '../../config/init.ts'
import { type LoadedConfig, loadConfig } from '../../config/load.ts'
import { findAgent } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { counted, plain } from '../plain-text.ts'
import type { Context } from '../surroundings.ts'

/** Reads the config of the folder. Throws a `ConfigError`. */
export async function readConfig(context: Context): Promise<LoadedConfig> {
  return await loadConfig(context.folder.config, hostNameOf(hostname()))
}

/** Says that it is good, or what is wrong with it. */
export async function checkConfig(context: Context): Promise<number> {
  try {
    const { config } = await readConfig(context)
    if (context.json) context.print({ ok: true, problems: [] })
    else context.line(`${context.folder.config} is good: ${config.host}, ${counted(config.checks.length, 'check')}`)
    return EXIT.done
  } catch (error) {
    const problems = context.json && error instanceof Error && 'problems' in error ? error.problems : undefined
    if (problems === undefined) throw error
    context.print({ ok: false, problems })
    return EXIT.usage
  }
}

/** Prints the config as it works, without secrets. */
export async function printConfig(context: Context): Promise<number> {
  const { showConfig, shownConfig } = await import('../../config/show.ts')
  const loaded = await readConfig(context)
  if (context.json) context.print(shownConfig(loaded))
  else context.out(showConfig(loaded))
  return EXIT.done
}

/** Prints the JSON Schema. */
export async function printSchema(context: Context): Promise<number> {
  const { configJsonSchema } = await import('../../config/schema.ts')
  context.print(configJsonSchema(hostNameOf(hostname())))
  return EXIT.done
}

/** Makes the agent read its config again; the old one stays when the new one is bad. */
export async function reloadConfig(context: Context): Promise<number> {
  // Told here with its lines, where the agent would only refuse it.
  await readConfig(context)
  const agent = await findAgent(context)
  const { ok, lines } = await agent.change<{ ok: boolean; lines: readonly string[] }>('POST', '/api/v1/reload')
  if (context.json) context.print({ ok, lines })
  else for (const line of lines) context.line(plain(line, 300))
  if (ok && !context.json) context.line('The agent has read its config again.')
  if (!ok) throw new CliError('reload-refused', EXIT.usage, 'the agent keeps its old config')
  return EXIT.done
}
