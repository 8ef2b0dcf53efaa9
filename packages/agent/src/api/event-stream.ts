/** `GET /api/v1/events`: server-sent events, to a few listeners, none of whom can make the agent wait. */
import type { ServerResponse } from 'node:http'
import type { AgentEvent } from '../agent-port.ts'
import { HttpError } from './http-error.ts'
import { EVENT_BACKLOG_BYTES_MAX, EVENT_BEAT_MS, EVENT_CLIENTS_MAX, EVENT_STATE_MS } from './limits.ts'

/** The stream of one server. */
export interface EventStream {
  /** Takes a response over until its client goes or the agent stops. Throws an `HttpError` 503 when there are too many. */
  add(response: ServerResponse): void
  /** Passes an event on. */
  send(event: AgentEvent): void
  /** Ends all. */
  close(): void
}

/** An event stream. `show` turns an event into the JSON of its `data`; null leaves it out. */
export function createEventStream(show: (event: AgentEvent) => unknown): EventStream {
  const clients = new Set<ServerResponse>()
  let stateTimer: NodeJS.Timeout | undefined
  const beat = setInterval(() => broadcast(': here\n\n'), EVENT_BEAT_MS)
  beat.unref()

  function broadcast(text: string): void {
    for (const client of clients) {
      if (client.writableLength > EVENT_BACKLOG_BYTES_MAX) client.destroy()
      else client.write(text)
    }
  }

  function publish(event: AgentEvent): void {
    if (clients.size === 0) return
    const data = show(event)
    if (data !== null) broadcast(`event: ${event.kind}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  return {
    add(response) {
      if (clients.size >= EVENT_CLIENTS_MAX) {
        throw new HttpError(503, 'too-many-listeners', `at most ${EVENT_CLIENTS_MAX} may listen at once`)
      }
      clients.add(response)
      response.on('close', () => clients.delete(response))
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      response.write('retry: 2000\n: here\n\n')
    },
    send(event) {
      if (event.kind !== 'state') {
        publish(event)
        return
      }
      stateTimer ??= setTimeout(() => {
        stateTimer = undefined
        publish(event)
      }, EVENT_STATE_MS).unref()
    },
    close() {
      clearInterval(beat)
      clearTimeout(stateTimer)
      for (const client of clients) client.end()
      clients.clear()
    },
  }
}
