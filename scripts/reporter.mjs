// A vitest reporter that hands the run's outcome, failures, second tries and skips with their reasons included, to scripts/test.mjs as one JSON file.
// It prints nothing: the default reporter beside it does.

import { writeFileSync } from "node:fs";

export default class Outcome {
  /** Called by vitest when all is done. */
  onTestRunEnd(modules, unhandledErrors) {
    const outcome = {
      passed: 0,
      failed: unhandledErrors.map((error) => ({ name: "outside of any test", reason: reasonOf([error]) })),
      skipped: [],
      again: [],
    };
    for (const module of modules) {
      const before = outcome.failed.length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        const name = `${module.relativeModuleId} > ${test.fullName}`;
        if (result.state === "passed") outcome.passed += 1;
        if (test.diagnostic()?.flaky) outcome.again.push({ name, reason: reasonOf(result.errors) });
        if (result.state === "failed") outcome.failed.push({ name, reason: reasonOf(result.errors) });
        if (result.state === "skipped" || result.state === "pending") outcome.skipped.push({ name, reason: result.note ?? "" });
      }
      // A file that cannot be loaded, or whose hooks fail, has failed though none of its tests did.
      if (outcome.failed.length === before && module.state() === "failed")
        outcome.failed.push({ name: module.relativeModuleId, reason: reasonOf(module.errors()) });
    }
    const path = process.env.PENNYWORTH_TEST_OUTCOME;
    if (path !== undefined) writeFileSync(path, JSON.stringify(outcome));
  }
}

/** What went wrong, in a line. */
function reasonOf(errors) {
  return (errors?.[0]?.message ?? "").replace(/\s+/g, " ").trim().slice(0, 500);
}
