/** What is said of a text that is no YAML. */
import { expect, test } from 'vitest'
import { readYaml } from './yaml.ts'

const problemsOf = (text: string) => readYaml(text, 'muster.yaml').problems

test.each([
  [
    'a map',
    'host: a\npresence: {every: 10s\n\n# checks\nchecks: []\n',
    '5:1',
    '{ opened on line 2, column 11',
    '}, or indent what belongs to it',
  ],
  [
    'the inner one of two',
    'host: a\nchecks:\n  - {name: a, tags: [x\n  - {name: b}\n',
    '4:3',
    '[ opened on line 3, column 21',
    '], or indent what belongs to it',
  ],
  [
    'at the end of the text',
    'host: a\nswarm: {peers: []\n',
    '3:1',
    '{ opened on line 2, column 8',
    '}, or indent what belongs to it',
  ],
  ['a text', 'host: "a\ntags: [x]\n', '3:1', '" opened on line 1, column 7', '"'],
  ['a text in a map', "api: {listen: 'a\nhost: x\n", '3:1', "' opened on line 1, column 15", "'"],
])('what is open is told with the place where it was opened: %s', (_, text, place, opened, close) => {
  const problems = problemsOf(text)
  expect(problems.map(({ line, column, what }) => `${line}:${column} ${what}`)).toEqual([
    `${place} not YAML: the ${opened} is not closed before this`,
  ])
  expect(problems[0]?.remedy).toBe(`close it with ${close}`)
})

test.each([
  ['one for each line', 'host: a\nswarm:\n\tlisten: []\n\tpeers: []\n', '3:1'],
  ['and what follows from it', 'host: a\nchecks:\n  - {name: b, kind: cpu}\n\t- {name: c, kind: cpu}\n', '4:1'],
  ['in the lines after it too', 'checks:\n  - name: c\n\t  kind: cpu\n  - {name: d, kind: cpu}\n', '3:1'],
  ['in a map in brackets', 'host: a\nswarm: {listen: [],\n\tpeers: []}\n', '3:1'],
  ['after spaces', 'checks:\n  - name: b\n  \tkind: cpu\n', '3:3'],
])('a tab is told once: not %s', (_, text, place) => {
  const problems = problemsOf(text)
  expect(problems.map(({ line, column, what, remedy }) => `${line}:${column} ${what} | ${remedy}`)).toEqual([
    `${place} not YAML: tabs are not allowed as indentation | indent with spaces, in all lines`,
  ])
})

test('a mistake before a tab is told as well', () => {
  const problems = problemsOf('host: "a" b\nswarm:\n\tlisten: []\n')
  expect(problems.map(({ line }) => line)).toEqual([1, 3])
})
