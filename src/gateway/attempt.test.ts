// A try whose client reads slowly: it goes on when the client does, and never in the middle of what undici is doing.

import type { Dispatcher } from "undici";
import { expect, test } from "vitest";
import { Attempt, type AttemptOwner } from "./attempt.ts";
import type { Client } from "./client.ts";

test("a paused answer is resumed, but not inside of the call that says so: that may come out of undici reading another answer", async () => {
  let readOn: (() => void) | null = null as (() => void) | null;
  const client = {
    gone: false,
    headSent: true,
    head: () => {},
    write: (_bytes: Buffer, resume: () => void) => {
      readOn = resume;
      return false;
    },
  };
  const owner = { client: client as unknown as Client, format: null, discards: () => false, headers: () => [], now: () => 0 };
  const attempt = new Attempt(owner as unknown as AttemptOwner);
  const told: string[] = [];
  const controller = { rawHeaders: [], pause: () => told.push("pause"), resume: () => told.push("resume") };
  const undici = controller as unknown as Dispatcher.DispatchController;
  attempt.onRequestStart(undici);
  attempt.onResponseStart(undici, 200, {});
  attempt.onResponseData(undici, Buffer.from("piece"));
  readOn?.();
  expect(told).toEqual(["pause"]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual(["pause", "resume"]);
});
