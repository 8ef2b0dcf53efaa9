/** `muster recipient add|list|remove`: who is told. */
import type { PairingStateView, PairingView, RecipientView, StatusView } from '../../api/shapes.ts'
import { type ApiClient, findAgent } from '../api-client.ts'
import { CliError, EXIT } from '../cli-error.ts'
import { counted, fitted, plain } from '../plain-text.ts'
import type { Context } from '../surroundings.ts'
import { dateTimeText, durationText } from '../time-text.ts'
import { dirOption, launcherOf } from '../typed-command.ts'

/** Seconds that one question after a pairing is held open. */
const WAIT_S = 20

/** Pairs a device, or adds a key by hand. */
export async function addRecipient(
  context: Context,
  name: string,
  options: { readonly key?: string },
): Promise<number> {
  const agent = await findAgent(context)
  if (options.key === undefined) return await pair(context, agent, name)
  const answer = await agent.change<{ name: string; warnings: readonly string[] }>('POST', '/api/v1/recipients', {
    name,
    publicKey: options.key,
  })
  if (context.json) context.print(answer)
  else {
    context.line(`${plain(answer.name, 64)} is told from now on.`)
    warn(context, answer.warnings)
  }
  return EXIT.done
}

async function pair(context: Context, agent: ApiClient, name: string): Promise<number> {
  const interrupted = context.interrupted()
  const pairing = await agent.change<PairingView>('POST', '/api/v1/pairings', { name })
  const path = `/api/v1/pairings/${pairing.id}`
  try {
    if (context.json)
      context.out(`${JSON.stringify({ state: 'waiting', link: pairing.link, expiresUnixMs: pairing.expiresUnixMs })}\n`)
    else await showLink(context, pairing)
    for (;;) {
      const state = await agent.change<PairingStateView>('GET', `${path}?wait=${WAIT_S}`, undefined, interrupted)
      if (state.state === 'waiting') continue
      if (state.state === 'failed') throw new CliError('pairing-failed', EXIT.bad, `not paired: ${plain(state.why)}`)
      if (context.json) context.out(`${JSON.stringify({ state: 'paired', name: state.name })}\n`)
      else {
        context.line('paired')
        // What one host's death would mean for it can be told now that it is there.
        warn(context, (await agent.get<StatusView>('/api/v1/status')).warnings)
      }
      return EXIT.done
    }
  } catch (error) {
    if (!interrupted.aborted) throw error
    await agent.change('DELETE', path).catch(() => undefined)
    throw new CliError('cancelled', EXIT.bad, 'cancelled: the link is worth nothing now')
  }
}

async function showLink(context: Context, { link, expiresUnixMs, warnings }: PairingView): Promise<void> {
  const { default: qrcode } = await import('qrcode')
  context.line(
    await qrcode.toString(link, {
      type: context.isTerminal ? 'terminal' : 'utf8',
      small: true,
      errorCorrectionLevel: 'L',
    }),
  )
  context.line('In a terminal that listens:')
  context.line(`  ${launcherOf(context.env)} listen '${link}'`)
  // Where this host needs a folder of its own, so does a device beside it.
  if (dirOption(context) !== '') context.line('On this machine, give it a folder of its own too: --dir DIR')
  context.line()
  warn(context, warnings)
  context.line(
    `The link serves once, within ${durationText(expiresUnixMs - Date.now())}. Waiting for the device; Ctrl-C ends the link.`,
  )
}

function warn(context: Context, warnings: readonly string[]): void {
  for (const warning of warnings) context.line(`Note: ${plain(warning, 300)}`)
}

/** Prints who is told. */
export async function listRecipients(context: Context): Promise<number> {
  const agent = await findAgent(context)
  const { recipients } = await agent.get<{ recipients: readonly RecipientView[] }>('/api/v1/recipients')
  if (context.json) {
    context.print({ recipients })
    return EXIT.done
  }
  if (recipients.length === 0) context.line(context.typed('Nobody is told yet: muster recipient add phone'))
  else context.line(counted(recipients.length, 'recipient'))
  const width = Math.max(0, ...recipients.map(({ name }) => [...plain(name, 64)].length))
  for (const { name, id, addedUnixMs } of recipients) {
    context.line(`  ${fitted(plain(name, 64), width)}  ${id.slice(0, 8)}  since ${dateTimeText(addedUnixMs)}`)
  }
  return EXIT.done
}

/** Takes a recipient back. */
export async function removeRecipient(context: Context, name: string): Promise<number> {
  const agent = await findAgent(context)
  const answer = await agent.change<{ id: string; name: string }>(
    'DELETE',
    `/api/v1/recipients/${encodeURIComponent(name)}`,
  )
  if (context.json) context.print(answer)
  else context.line(`${plain(answer.name, 64)} is told nothing more; no new notice can be read with its key.`)
  return EXIT.done
}
