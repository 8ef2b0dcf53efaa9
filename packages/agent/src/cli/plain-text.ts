/** Text that others wrote, made safe to print: a terminal obeys what it reads. */

/** Control, format (bidi, zero width), surrogate, private-use and unassigned characters, and Unicode's line ends. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu
const CHARS_MAX = 400

/** One line without anything that a terminal would obey or that hides what it says; cut to `max` characters. */
export function plain(text: string, max: number = CHARS_MAX): string {
  const characters = [
    ...text
      .slice(0, 4 * max)
      .replace(/\s+/gu, ' ')
      .replace(UNSAFE, '')
      .trim(),
  ]
  return characters.length <= max ? characters.join('') : `${characters.slice(0, max - 1).join('')}…`
}

/** Pads to a width, or cuts with `…`. Counts characters, as a terminal with a narrow font does. */
export function fitted(text: string, width: number): string {
  const characters = [...text]
  if (characters.length > width) return `${characters.slice(0, Math.max(0, width - 1)).join('')}…`
  return text + ' '.repeat(width - characters.length)
}

/** "a, b and 3 more". */
export function listed(names: readonly string[], most: number): string {
  const clean = names.map((name) => plain(name, 64))
  if (clean.length <= most) return clean.join(', ')
  return `${clean.slice(0, most).join(', ')} and ${clean.length - most} more`
}

/** "1 check", "2 checks". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
