import { busySuite } from "../busy.suite.ts";
import { closingSuite } from "../closing.suite.ts";
import { findSuite } from "../find.suite.ts";
import { storeSuite } from "../store.suite.ts";
import { viewSuite } from "../view.suite.ts";
import { make } from "./made.fixture.ts";

storeSuite("duckdb", make);
viewSuite("duckdb", make);
busySuite("duckdb", make);
closingSuite("duckdb", make);
findSuite("duckdb", make);
