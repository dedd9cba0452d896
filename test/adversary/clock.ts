// Loaded before the gateway in its process: its wall clock can be set off from the machine's, as if somebody had put it right. The steady clock
// goes on as it did. It begins as far off as PENNYWORTH_TEST_SHIFT_MS says; a message moves it.

const real = Date.now;
let shiftMs = Number(process.env["PENNYWORTH_TEST_SHIFT_MS"] ?? 0);

Date.now = (): number => real() + shiftMs;

process.on("message", (message: unknown) => {
  if (typeof message !== "object" || message === null || !("shiftMs" in message) || typeof message.shiftMs !== "number") return;
  ({ shiftMs } = message as { readonly shiftMs: number });
  process.send?.({ shiftMs });
});
// Not what keeps the gateway alive.
process.channel?.unref();
