// Waiting to be told to stop. The first signal is a request, the second one an order.

/** npm passes on a signal that the terminal has sent to everybody already: so soon after the first one it is no second one, ms. */
const echoMsMax = 300;

/** Resolves with the first SIGINT or SIGTERM; the second one ends the process. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstMs: number | null = null;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (firstMs === null) {
        firstMs = performance.now();
        resolve(signal);
      } else if (performance.now() - firstMs > echoMsMax) process.exit(signal === "SIGINT" ? 130 : 143);
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
