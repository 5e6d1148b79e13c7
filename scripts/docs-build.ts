/** Writes the pages that are made from tables of the code. `test/docs.test.ts` fails while they are stale. */
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { oauthErrors } from '../src/auth/oauth-errors.ts'
import { failureKinds } from '../src/base/failure-kinds.ts'
import { rules } from '../src/base/rules.ts'
import { commandsOf } from '../src/cli/program.ts'
import { variables } from '../src/config/variables.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|')
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows.map(row => row.map(cell))].map(row => `| ${row.join(' | ')} |`).join('\n')

const configuration = (): string =>
  `# Configuration

Generated from \`src/config/variables.ts\`. Everything is read once at start; every problem is reported together; a \`SIMPUL_…\` name that is not here is a problem too.

${table(
  ['Variable', 'Default', 'Meaning'],
  Object.values(variables).map(variable => [
    `\`${variable.name}\`${'secret' in variable ? ' (secret)' : ''}`,
    'default' in variable ? `\`${variable.default}\`` : '–',
    variable.meaning,
  ]),
)}
`

const failures = (): string =>
  `# Failures

Generated from \`src/base/failure-kinds.ts\` and \`src/base/rules.ts\`. The message id stands in \`OperationOutcome.issue.details.coding.code\` (system \`https://simpul.example/fhir/CodeSystem/outcome\`) and is stable; \`details.text\` is the sentence in the client's language (\`Accept-Language: id\` or \`en\`), \`diagnostics\` the English one, followed by the \`fullUrl\` of the entry when a Bundle's entry is meant. Rows of status 200 come beside a success.

${table(
  ['Message id', 'Status', 'IssueType', 'English', 'Bahasa Indonesia'],
  Object.entries(failureKinds).map(([key, row]) => [`\`${key}\``, String(row.status), row.code, row.en, row.id]),
)}

## Rules

What stands for \`{rule}\` and \`{reason}\` above. In braces: names and numbers, never values of a record. Rules have no id that clients could rely on.

${table(
  ['English', 'Bahasa Indonesia'],
  Object.values(rules).map(row => [row.en, row.id]),
)}
`

const cli = (): string =>
  `# Command line

Generated from \`src/cli/program.ts\`. In the clone: \`npx simpul <verb>\`. Progress goes to stderr, results to stdout; \`--json\` gives one JSON object a line. Exit codes: 0 good, 1 failed or finding, 2 incomplete, 3 refused by the state of things, 4 no access, 5 a server it needs does not answer, 64 usage, 78 configuration, 130 interrupted.

${commandsOf()
  .map(
    ({ usage, description, options }) =>
      `## \`${usage}\`\n\n${description}.\n${options.length > 0 ? `\n${table(['Option', 'Meaning'], options)}\n` : ''}`,
  )
  .join('\n')}`

const errors = (): string =>
  `# OAuth errors

Generated from \`src/auth/oauth-errors.ts\`. A server shows the same at \`/login/errors\`; \`error_uri\` of an error leads to its section there.

${Object.entries(oauthErrors)
  .map(([error, [id, en]]) => `## \`${error}\`\n\n${en}\n\n*${id}*\n`)
  .join('\n')}`

export const generatedPages: Readonly<Record<string, () => string>> = {
  'docs/operate/configuration.md': configuration,
  'docs/operate/cli.md': cli,
  'docs/api/failures.md': failures,
  'docs/api/oauth-errors.md': errors,
}

if (import.meta.main)
  for (const [path, page] of Object.entries(generatedPages)) writeFileSync(join(resolve(import.meta.dirname, '..'), path), page())
