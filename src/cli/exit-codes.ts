/** What a verb tells the shell. @see docs/operate/cli.md */
export const exitCodes = {
  good: 0,
  failed: 1,
  incomplete: 2,
  refused: 3,
  noAccess: 4,
  unreachable: 5,
  usage: 64,
  configuration: 78,
  interrupted: 130,
} as const
