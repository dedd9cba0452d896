// A vitest reporter that hands the run's outcome, skips with their reasons included, to scripts/test.mjs as one JSON file.
// It prints nothing: the default reporter beside it does.

import { writeFileSync } from "node:fs";

export default class Outcome {
  /** Called by vitest when all is done. */
  onTestRunEnd(modules, unhandledErrors) {
    const outcome = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      const before = outcome.failed;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") outcome.passed += 1;
        else if (result.state === "failed") outcome.failed += 1;
        else outcome.skipped.push({ name: `${module.relativeModuleId} > ${test.fullName}`, reason: result.note ?? "" });
      }
      // A file that cannot be loaded, or whose hooks fail, has failed though none of its tests did.
      if (outcome.failed === before && module.state() === "failed") outcome.failed += 1;
    }
    const path = process.env.PENNYWORTH_TEST_OUTCOME;
    if (path !== undefined) writeFileSync(path, JSON.stringify(outcome));
  }
}
