// What prompts are made of, by part: one bar of their bytes, and a line for each part. Not here: what of it was sent again (shape.tsx).
// Invariant: bytes were counted; tokens by part are scaled from them, and marked as estimated.

import { useComputedColorScheme } from "@mantine/core";
import type { ReactNode } from "react";
import { compact, count } from "../money.ts";
import { colorOf } from "../parts/canvas.ts";
import { Head } from "../parts/head.tsx";
import { shareText } from "../parts/values.ts";
import { partKeys, partNames, type ShapeSums } from "../shape.ts";
import { plural } from "../words.ts";

export function Prompt({ total: { prompt, calls } }: { readonly total: ShapeSums }): ReactNode {
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const all = partKeys.reduce((sum, part) => sum + prompt.bytes[part], 0);
  return (
    <section className="card span6" aria-labelledby="prompt">
      <div className="title">
        <h2 id="prompt">What the prompts are made of</h2>
        {prompt.unknown === 0 || all === 0 ? null : (
          <p className="soft small">
            not known of {count(prompt.unknown)} of {plural(calls, "call")}
          </p>
        )}
      </div>
      {all === 0 ? (
        <div className="body">
          <p className="soft small">Not known of these calls.</p>
        </div>
      ) : (
        <>
          <div className="body">
            <div className="madeof" aria-hidden="true">
              {partKeys.map((part, index) => (
                <span
                  key={part}
                  hidden={prompt.bytes[part] === 0}
                  style={{ width: `${(prompt.bytes[part] / all) * 100}%`, background: colorOf(scheme, index, false) }}
                />
              ))}
            </div>
          </div>
          <div className="scroll" tabIndex={0} role="region" aria-label="Parts of the prompts">
            <table className="list">
              <Head columns={["Part", ["Share", "number"], ["Bytes", "number wide"], ["Tokens, estimated", "number"]]} />
              <tbody>
                {partKeys.map((part, index) => (
                  <tr key={part} data-part={part}>
                    <th scope="row">
                      <span className="row">
                        <span className="swatch" style={{ background: colorOf(scheme, index, false) }} />
                        {partNames[part]}
                      </span>
                    </th>
                    <td className="number">{shareText(prompt.bytes[part] / all)}</td>
                    <td className="number wide soft">{compact(prompt.bytes[part])}</td>
                    <td className="number">~{count(prompt.tokens[part])}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}
