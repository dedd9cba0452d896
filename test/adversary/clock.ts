// Loaded before the gateway in its process: its clocks can be moved. `jump`: somebody puts the wall clock right, and the steady clock goes on as it
// did. `pass`: that much time goes by for both, in no time. It begins as far off as PENNYWORTH_TEST_SHIFT_MS says.

const [wall, steady] = [Date.now, performance.now.bind(performance)];
let shiftMs = Number(process.env["PENNYWORTH_TEST_SHIFT_MS"] ?? 0);
let passedMs = 0;

Date.now = (): number => wall() + shiftMs;
performance.now = (): number => steady() + passedMs;

process.on("message", (message: unknown) => {
  if (typeof message !== "object" || message === null || !("byMs" in message) || typeof message.byMs !== "number") return;
  shiftMs += message.byMs;
  if ("clock" in message && message.clock === "pass") passedMs += message.byMs;
  process.send?.(message);
});
// Not what keeps the gateway alive.
process.channel?.unref();
