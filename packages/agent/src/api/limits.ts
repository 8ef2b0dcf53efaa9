/** Every bound of the local API, with its unit and its reason. */

/** Bytes of a JSON body: a name and a key. */
export const JSON_BODY_BYTES_MAX = 16 * 1024
/** Bytes of a ping's body that are kept, as healthchecks.io does. */
export const PING_BODY_BYTES_KEPT = 10_000
/** Bytes of a ping's body after which the connection is cut: what is not kept is read and dropped, but not for ever. */
export const PING_BODY_BYTES_READ = 1024 * 1024
/** Bytes of a request's head. */
export const HEADER_BYTES_MAX = 8 * 1024
/** Characters of a request's path and query. */
export const URL_CHARS_MAX = 2_048
/** Connections at once: a person's tools, a scraper and some jobs. */
export const CONNECTIONS_MAX = 128
/** How long a request's head may take to arrive. Milliseconds. */
export const HEADERS_TIMEOUT_MS = 5_000
/** How long a whole request may take to arrive. Milliseconds. */
export const REQUEST_TIMEOUT_MS = 15_000
/** How long an idle connection is kept. Milliseconds. */
export const KEEP_ALIVE_MS = 5_000
/** Listeners to the event stream at once. */
export const EVENT_CLIENTS_MAX = 16
/** Between two comments that keep an event stream open. Milliseconds. */
export const EVENT_BEAT_MS = 15_000
/** Between two "the state changed": a busy mesh must not drown a page. Milliseconds. */
export const EVENT_STATE_MS = 1_000
/** Bytes that may wait for a slow listener; beyond it, it is let go and may come again. */
export const EVENT_BACKLOG_BYTES_MAX = 256 * 1024
/** Entries of one history answer, at most. */
export const HISTORY_ENTRIES_MAX = 5_000
/** Entries of one history answer when the request does not say. */
export const HISTORY_ENTRIES = 500
/** Incidents in one answer that were missed here, the newest: the end of each takes some reads of a log. */
export const MISSED_MAX = 200
/** Pairings under way at once: each holds a subscription for an hour. */
export const PAIRINGS_MAX = 8
/** How long a question after a pairing is held open. Milliseconds. */
export const PAIRING_WAIT_MS_MAX = 25_000
/** How long the end of a pairing can be asked for. Milliseconds. */
export const PAIRING_KEPT_MS = 10 * 60_000
/** Marks of a host's heartbeat bar. */
export const MARKS_MAX = 40
/** The time that one mark stands for. Milliseconds. */
export const MARK_MS = 20_000
/** Characters of a name. */
export const NAME_CHARS_MAX = 64
/** Characters of a silence's matcher, as on the wire. */
export const MATCHER_CHARS_MAX = 200
