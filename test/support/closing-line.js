/** Jest reporter: the plain closing line that any reader of a log understands. */
export default class ClosingLine {
  onRunComplete(_contexts, results) {
    process.stdout.write(
      `${results.numPassedTests} passed, ${results.numFailedTests + results.numRuntimeErrorTestSuites} failed, ${results.numPendingTests} skipped\n`,
    )
  }
}
