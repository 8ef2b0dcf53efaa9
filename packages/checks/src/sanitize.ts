/**
 * Text from a check's target is hostile until it has been through here.
 *
 * What goes: terminal escape sequences, control characters, bidirectional overrides and invisible formatting characters
 * (they make a log line or a notice read as something else), lone surrogates, and everything past a cap.
 */
import { TEXT_CHARS_MAX } from './limits.ts'

/** How much of the raw text is looked at: a megabyte in one line costs no more than this. */
const WORK_CHARS_MAX = 8192

// Built from code points, so that no control character stands in this file.
const ESC = String.fromCodePoint(0x1b)
const BEL = String.fromCodePoint(0x07)
/** The 8-bit forms: control sequence introducer, string terminator, and what opens a string (DCS, SOS, OSC, PM, APC). */
const CSI = String.fromCodePoint(0x9b)
const ST = String.fromCodePoint(0x9c)
const STRING_OPENERS = String.fromCodePoint(0x90, 0x98, 0x9d, 0x9e, 0x9f)

/** Control sequences, strings such as a window title with all they hold, and short escape sequences. Source: ECMA-48. */
const ESCAPE_SEQUENCES = new RegExp(
  [
    `(?:${ESC}\\[|${CSI})[0-?]*[ -/]*[@-~]?`,
    `(?:${ESC}[\\]PX^_]|[${STRING_OPENERS}])[^${BEL}${ESC}${ST}]*(?:${BEL}|${ESC}\\\\|${ST})?`,
    `${ESC}[ -/]*[0-~]?`,
  ].join('|'),
  'gu',
)

/** White space of all kinds becomes one space. */
const SPACES = /\s+/gu

/** Control, format (bidi, zero width, tags), surrogate, private-use and unassigned characters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\u2028\u2029]/gu

/**
 * One safe line of at most `charsMax` UTF-16 units, spaces folded and trimmed; ends in `…` when it was cut.
 *
 * Never throws. The result may be empty.
 */
export function sanitizeLine(text: string, charsMax: number = TEXT_CHARS_MAX): string {
  const clean = text
    .slice(0, WORK_CHARS_MAX)
    .replace(ESCAPE_SEQUENCES, '')
    .replace(SPACES, ' ')
    .replace(UNSAFE, '')
    .trim()
  return cutText(clean, charsMax)
}

/** Cuts to at most `charsMax` UTF-16 units, never inside a surrogate pair, marking the cut with `…`. */
export function cutText(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  let end = Math.max(0, charsMax - 1)
  const last = text.charCodeAt(end - 1)
  if (last >= 0xd800 && last <= 0xdbff) end -= 1
  return `${text.slice(0, end).trimEnd()}…`
}

/** The first line that has something to say, made safe. `printf` noise such as blank first lines is passed over. */
export function firstLine(text: string, charsMax: number = TEXT_CHARS_MAX): string {
  return pickLine(text.slice(0, WORK_CHARS_MAX).split(/\r\n|\r|\n/u), charsMax)
}

/** The last line that has something to say, made safe: where a failed program usually says why. */
export function lastLine(text: string, charsMax: number = TEXT_CHARS_MAX): string {
  return pickLine(
    text
      .slice(-WORK_CHARS_MAX)
      .split(/\r\n|\r|\n/u)
      .reverse(),
    charsMax,
  )
}

function pickLine(lines: readonly string[], charsMax: number): string {
  for (const line of lines) {
    const clean = sanitizeLine(line, charsMax)
    if (clean !== '') return clean
  }
  return ''
}
