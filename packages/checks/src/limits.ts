/** Every bound of this package, with its unit and its reason. */

/** Characters of an observation's one line and of an error's. The protocol allows 200. */
export const TEXT_CHARS_MAX = 200

/** Characters of one text value of an observation: results are gossiped and kept, so they stay small. */
export const VALUE_CHARS_MAX = 200

/** Values that one observation may hold. A plugin may print hundreds of metrics; the first ones count. */
export const VALUES_MAX = 32

/** Characters of a value's name. */
export const VALUE_NAME_CHARS_MAX = 64

/** Milliseconds between two runs, at least: below this the agent would mostly measure itself. */
export const EVERY_MS_MIN = 100

/** Milliseconds of the longest duration in a config: a year and a day. */
export const DURATION_MS_MAX = 366 * 24 * 60 * 60 * 1000

/** Checks on one host. The protocol carries all of them in one heartbeat's reach. */
export const CHECKS_MAX = 1000

/** Tags, `depends` or `from` entries of one check. */
export const LIST_ENTRIES_MAX = 32

/** Characters of a condition. */
export const CONDITION_CHARS_MAX = 1000

/** Nodes of a condition's syntax tree: evaluation is linear in them, for no macro may loop. */
export const CONDITION_NODES_MAX = 200

/** Levels of a condition's syntax tree: what a person can read ends long before. */
export const CONDITION_DEPTH_MAX = 24

/** Entries of a list in a condition (`status in [200, 204]`). */
export const CONDITION_LIST_MAX = 64

/** Characters of a regular expression in a condition. */
export const PATTERN_CHARS_MAX = 200

/**
 * Instructions of a compiled regular expression: with the cap on a body's characters, a hostile body costs an expression
 * 0.2 s at the very most (measured), and usually a few milliseconds.
 */
export const PATTERN_PROGRAM_MAX = 250

/** Regular expressions in one condition, for the same reason. */
export const PATTERNS_MAX = 4

/** Bytes that are read of an HTTP body, and at most come out of a compressed one. */
export const BODY_BYTES_MAX = 256 * 1024

/** Characters of a body that conditions see. */
export const BODY_CHARS_MAX = 32 * 1024

/** Bytes of an HTTP response's headers, in all. */
export const HEADER_BYTES_MAX = 16 * 1024

/** Redirects that are followed. */
export const REDIRECTS_MAX = 5

/** Bytes kept of a command's standard output, and of its standard error. The rest is read and dropped. */
export const OUTPUT_BYTES_MAX = 64 * 1024

/** Bytes after which a command that does not stop printing is killed. */
export const OUTPUT_BYTES_FLOOD = 16 * 1024 * 1024

/** Milliseconds between SIGTERM and SIGKILL to a command that ran out of time. */
export const KILL_GRACE_MS = 500

/** Bytes kept of a ping's body. Source: the ping API of healthchecks.io. */
export const PING_BODY_BYTES_MAX = 10_000

/** Starts (by run id) that a push check remembers while it waits for their ends. */
export const PING_STARTS_MAX = 32

/** Runs that may be in their first second at one time. */
export const FAST_LANE_MAX = 16

/** Runs that may be slow at one time: beyond it, slow checks wait for each other and never for a place of a fast one. */
export const SLOW_LANE_MAX = 64

/** Milliseconds after which a run counts as slow and leaves the fast lane. */
export const SLOW_AFTER_MS = 500

/** Bytes of a secret's file. */
export const SECRET_BYTES_MAX = 8 * 1024
