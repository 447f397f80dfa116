// npm test [-- files or vitest flags]: every test of every package and of test/.
//
// The last line is plain, for people and machines alike: `N passed, N failed`, with `, N skipped` only when some were. The
// exit code is 1 when a test failed, when a file could not even be loaded, when vitest itself broke, or when no test ran.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, nodeBinary, rootDirectory, run } from './prepare.mjs';

/** Counts from vitest's JSON report; undefined when it wrote none. */
function readCounts(path) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    const broken = report.testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some(isFailed),
    );
    return {
      passed: report.numPassedTests,
      // A file that could not be loaded holds no failed test and is a failure all the same.
      failed: report.numFailedTests + broken.length,
      skipped: report.numPendingTests + (report.numTodoTests ?? 0),
    };
  } catch {
    return undefined;
  }
}

const isFailed = (result) => result.status === 'failed';

ensureInstalled();
ensureBuilt();

const directory = mkdtempSync(join(tmpdir(), 'kvd-test-'));
const reportPath = join(directory, 'report.json');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`];
const vitest = join(rootDirectory, 'node_modules/vitest/vitest.mjs');
const status = run(nodeBinary(), [vitest, 'run', ...reporters, ...process.argv.slice(2)]);
const counts = readCounts(reportPath) ?? { passed: 0, failed: 1, skipped: 0 };
rmSync(directory, { recursive: true, force: true });

// An error outside any test (an unhandled rejection) fails the run though every test passed.
if (status !== 0 && counts.failed === 0) counts.failed = counts.passed === 0 ? 0 : 1;
const ranNothing = counts.passed + counts.failed === 0;
if (ranNothing) console.log('no test ran');
console.log(
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`,
);
process.exitCode = status !== 0 || counts.failed > 0 || ranNothing ? 1 : 0;
