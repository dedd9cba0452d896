// The gateway as users run it, for the bench. Prints its port.

import { readConfig } from "../../src/config.ts";
import { start } from "../../src/main.ts";

const [config, data] = process.argv.slice(2) as [string, string];
const running = await start(readConfig(config, { data, "server.port": 0 }, {}));
console.log(JSON.stringify({ port: Number(new URL(running.url).port) }));
process.once("SIGTERM", () => void running.close());
