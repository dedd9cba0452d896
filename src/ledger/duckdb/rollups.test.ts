// What is kept of tasks as data arrives, against what is made anew: beside duckdb.test.ts, so that the two run at once.

import { partsSuite } from "../parts.suite.ts";
import { recountSuite } from "../recount.suite.ts";
import { stepsSuite } from "../steps.suite.ts";
import { successSuite } from "../success.suite.ts";
import { trialsSuite } from "../trials.suite.ts";
import { make } from "./made.fixture.ts";

successSuite("duckdb", make);
partsSuite("duckdb", make);
stepsSuite("duckdb", make);
trialsSuite("duckdb", make);
recountSuite("duckdb", make);
