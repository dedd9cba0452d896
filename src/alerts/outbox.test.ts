import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { minuteMs } from "../core/time.ts";
import type { Alert } from "./alert.ts";
import { Outbox, type Receiver, tryMsMax, Untaken, waitingMax } from "./outbox.ts";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

function alert(id: string): Alert {
  return { id, kind: "test", severity: "info", atMs: 0 };
}

/** A receiver that answers as it is told, in order; then takes everything. */
function setUp(...answers: readonly (Error | "silence")[]) {
  const waiting = [...answers];
  const tried: string[] = [];
  const settled: string[] = [];
  const receiver: Receiver = {
    name: "ops",
    kind: "webhook",
    to: "example.com",
    problem: null,
    pick: (one) => one,
    send: async ({ id }, signal) => {
      tried.push(`${Date.now() / 1_000} ${id}`);
      const answer = waiting.shift();
      if (answer === "silence") await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("secret"))));
      else if (answer !== undefined) throw answer;
    },
  };
  const outbox = new Outbox(receiver, {
    now: Date.now,
    setTimer: (act, ms) => {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    },
    settled: ({ id }, delivery) => void settled.push(`${id} ${delivery}`),
  });
  return { outbox, tried, settled };
}

const down = new Untaken("example.com answered 500", false);

describe("an outbox", () => {
  it("tries again after 1, 5, 30, 120, 600 and 1,800 seconds, in order, and then gives up", async () => {
    const { outbox, tried, settled } = setUp(down, down, down, down, down, down, down);
    outbox.put(alert("a"));
    outbox.put(alert("b"));
    await vi.advanceTimersByTimeAsync(60 * minuteMs);
    expect(tried).toEqual(["0 a", "1 a", "6 a", "36 a", "156 a", "756 a", "2556 a", "2556 b"]);
    expect(settled).toEqual(["a failed", "b sent"]);
    expect(outbox.standing).toMatchObject({
      sent: 1,
      failed: 1,
      waiting: 0,
      lastError: "example.com answered 500",
      lastFailedMs: 2_556_000,
      lastSentMs: 2_556_000,
    });
  });

  it("waits as long as it is asked to, within reason, and never less than it would", async () => {
    const { outbox, tried } = setUp(new Untaken("429", false, 90_000), new Untaken("429", false, 10), new Untaken("429", false, 9e9));
    outbox.put(alert("a"));
    await vi.advanceTimersByTimeAsync(60 * minuteMs);
    expect(tried).toEqual(["0 a", "90 a", "95 a", "1895 a"]);
  });

  it("does not try again what is refused for good", async () => {
    const { outbox, tried, settled } = setUp(new Untaken("404", true));
    outbox.put(alert("a"));
    await vi.advanceTimersByTimeAsync(60 * minuteMs);
    expect([tried, settled]).toEqual([["0 a"], ["a failed"]]);
  });

  it("gives a silent receiver ten seconds, and says so, but not what the error said", async () => {
    const { outbox, tried, settled } = setUp("silence");
    outbox.put(alert("a"));
    await vi.advanceTimersByTimeAsync(tryMsMax);
    expect(outbox.standing).toMatchObject({ waiting: 1, lastError: "no answer within 10000 ms" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect([tried, settled]).toEqual([["0 a", "11 a"], ["a sent"]]);
    const other = setUp(new Error("https://hooks.example.com/secret"));
    other.outbox.put(alert("a"));
    await vi.advanceTimersByTimeAsync(0);
    expect(other.outbox.standing.lastError).toBe("it could not be sent");
  });

  it("holds a bounded number, and drops the oldest that waits, not the one under way", async () => {
    const { outbox, settled } = setUp("silence", down);
    for (let n = 0; n < waitingMax + 3; n += 1) outbox.put(alert(`a${n}`));
    expect(outbox.standing).toMatchObject({ waiting: waitingMax, dropped: 3 });
    expect(settled).toEqual(["a1 failed", "a2 failed", "a3 failed"]);
  });

  it("tests past the queue, once", async () => {
    const { outbox, tried } = setUp("silence", down);
    outbox.put(alert("a"));
    await vi.advanceTimersByTimeAsync(0);
    await expect(outbox.try(alert("test"))).rejects.toThrow("500");
    expect(tried).toEqual(["0 a", "0 test"]);
    expect(outbox.standing).toMatchObject({ waiting: 1, failed: 0, lastError: "example.com answered 500" });
  });

  it("lets what is being sent end when it closes, for a moment, and leaves the rest waiting", async () => {
    const { outbox, settled, tried } = setUp("silence");
    outbox.put(alert("a"));
    outbox.put(alert("b"));
    await vi.advanceTimersByTimeAsync(0);
    const closed = outbox.close(3_000);
    await vi.advanceTimersByTimeAsync(2_999);
    expect(outbox.standing.waiting).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    await closed;
    expect([tried, settled]).toEqual([["0 a"], []]);
    outbox.put(alert("c"));
    await vi.advanceTimersByTimeAsync(minuteMs);
    expect(tried).toEqual(["0 a"]);
  });

  it("does not wait out a pause when it closes", async () => {
    const { outbox, settled } = setUp(down);
    outbox.put(alert("a"));
    await vi.advanceTimersByTimeAsync(0);
    await outbox.close(3_000);
    expect([Date.now(), settled]).toEqual([0, []]);
  });
});
