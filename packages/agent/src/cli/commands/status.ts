/** `muster status`: the mesh as this host's agent sees it. Exit code 0 when all is well, 1 when something fires. */
import type { StatusView } from '../../api/shapes.ts'
import { type ApiClient, findAgent } from '../api-client.ts'
import { EXIT } from '../cli-error.ts'
import { type Drawing, statusLines } from '../status-text.ts'
import type { Context } from '../surroundings.ts'

/** Between two looks of `--watch`. Milliseconds. */
const WATCH_MS = 1_000

/** Prints the status once, or draws it until it is ended. */
export async function status(context: Context, options: { readonly watch?: boolean }): Promise<number> {
  const agent = await findAgent(context)
  const view = await agent.get<StatusView>('/api/v1/status')
  if (options.watch === true && !context.json) return await watch(context, agent, view)
  if (context.json) context.print(view)
  else for (const line of statusLines(view, drawingOf(context))) context.line(line)
  return exitCodeOf(view)
}

function drawingOf({ colour, columns, typed }: Context): Drawing {
  return { colour, columns: columns(), typed }
}

function exitCodeOf({ well }: StatusView): number {
  return well ? EXIT.done : EXIT.bad
}

async function watch(context: Context, agent: ApiClient, first: StatusView): Promise<number> {
  const ended = new AbortController()
  const keys = listenForQuit(() => ended.abort())
  const signal = AbortSignal.any([ended.signal, context.interrupted()])
  let view = first
  let link = 'live'
  try {
    if (context.colour) context.out('\u001b[?1049h\u001b[?25l')
    while (!signal.aborted) {
      draw(context, view, link)
      await pause(WATCH_MS, signal)
      if (signal.aborted) break
      try {
        view = await agent.get<StatusView>('/api/v1/status', signal)
        link = 'live'
      } catch {
        // What is on the screen is old from now on, and says so.
        link = 'the agent does not answer'
      }
    }
  } finally {
    keys()
    if (context.colour) context.out('\u001b[?25h\u001b[?1049l')
  }
  return exitCodeOf(view)
}

function draw(context: Context, view: StatusView, link: string): void {
  const lines = statusLines(view, { ...drawingOf(context), link })
  if (context.colour)
    context.out(
      `\u001b[H${lines.map((line) => `${line}\u001b[K\n`).join('')}\n\u001b[90mq quit\u001b[0m\u001b[K\u001b[J`,
    )
  else context.out(`${link === 'live' ? '' : `${link}\n`}${lines.join('\n')}\n\n`)
}

function listenForQuit(quit: () => void): () => void {
  const { stdin } = process
  if (!stdin.isTTY) return () => undefined
  const onData = (data: Buffer): void => {
    // Ctrl-C arrives as a byte in raw mode.
    if (['q', 'Q', '\u0003', '\u0004'].includes(data.toString('latin1').charAt(0))) quit()
  }
  stdin.setRawMode(true)
  stdin.resume()
  stdin.on('data', onData)
  return () => {
    stdin.off('data', onData)
    stdin.setRawMode(false)
    stdin.pause()
  }
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, delayMs)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
  })
}
