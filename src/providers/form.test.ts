// Forms as clients send them: the oracle is undici's own FormData, written out by Response, and parsed again by it.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fieldIsTrue, fieldModel, fieldText, fieldWhole, isForm, readForm } from "./form.ts";

interface Written {
  readonly body: Buffer;
  readonly type: string;
}

async function write(form: FormData): Promise<Written> {
  const response = new Response(form);
  return { body: Buffer.from(await response.arrayBuffer()), type: response.headers.get("content-type") ?? "" };
}

const shown = ({ body, type }: Written): unknown[] =>
  readForm(body, type).map(({ name, isFile, start, end }) => [name, isFile, body.toString("latin1", start, end)]);

/** As a form writes line ends of text. */
const text = (value: string): string => Buffer.from(value.replaceAll(/\r\n|\r|\n/g, "\r\n")).toString("latin1");

const by = (text: string, type = "multipart/form-data; boundary=b"): Written => ({ body: Buffer.from(text, "latin1"), type });
const part = (headers: string, value: string): string => `--b\r\n${headers}\r\n\r\n${value}\r\n`;
const named = (name: string, value: string): string => part(`Content-Disposition: form-data; name="${name}"`, value);

describe("a form", () => {
  it("gives its fields and files, whatever bytes are in them", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.stringMatching(/^[a-z_[\]]{1,12}$/), fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: "grapheme" }))),
          {
            maxLength: 6,
          },
        ),
        async (entries) => {
          const form = new FormData();
          for (const [name, value] of entries)
            if (typeof value === "string") form.append(name, value);
            else form.append(name, new Blob([value]), 'a "b"; name=model.png');
          const written = await write(form);
          expect(shown(written)).toEqual(
            entries.map(([name, value]) =>
              typeof value === "string" ? [name, false, text(value)] : [name, true, Buffer.from(value).toString("latin1")],
            ),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    [`${named("a", "1")}--b--`, [["a", false, "1"]]],
    [
      `a preamble\r\n${named("a", "")}${named("c", "\r\n")}--b--\r\nan epilogue`,
      [
        ["a", false, ""],
        ["c", false, "\r\n"],
      ],
    ],
    [
      `${part("content-disposition:form-data;name=a;filename=x.mp3\r\nContent-Type: audio/mpeg", "\x00\xff--b")}--b--`,
      [["a", true, "\x00\xff--b"]],
    ],
    [`${part('Content-Disposition: form-data; filename="; name=\\"model\\""; name="file"', "x")}--b--`, [["file", true, "x"]]],
    [`${part("Content-Disposition: form-data; name*=a", "x")}--b--`, []],
    [`--b\r\n\r\nno headers\r\n${named("a", "1")}--b--`, [["a", false, "1"]]],
    [`--b \t\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--`, [["a", false, "1"]]],
    // The line end of a boundary may be the one that ends the headers.
    [`--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n--b\r\nX: y\r\n\r\n--b--`, [["a", false, ""]]],
    ["--b--", []],
  ])("%j", (text, expected) => expect(shown(by(text))).toEqual(expected));

  it.each([
    ["", "the form does not begin"],
    ["--c\r\n", "the form does not begin"],
    ["--bc\r\n", "expected the end of a line"],
    ["--b\r\nContent-Disposition: form-data", "ends inside a field's headers"],
    [named("a", "1"), "ends without its closing boundary"],
    [`--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1`, "ends without its closing boundary"],
    [`--b\r\nX: ${"y".repeat(20_000)}\r\n\r\n1\r\n--b--`, "headers are longer"],
    [named("a", "1").repeat(1_002), "more than 1000 fields"],
  ])("%#: what breaks is refused, with the byte", (text, reason) => {
    expect(() => readForm(Buffer.from(text), "multipart/form-data; boundary=b")).toThrow(reason);
    expect(() => readForm(Buffer.from(text), "multipart/form-data; boundary=b")).toThrow(/at byte \d+/);
  });

  it.each([
    ['multipart/form-data; boundary="b"', true],
    ["Multipart/Form-Data;charset=utf-8; Boundary=b", true],
    ["multipart/form-data", false],
    ["multipart/form-data; boundary=", false],
    [`multipart/form-data; boundary=${"b".repeat(71)}`, false],
  ])("%s names a boundary: %s", (type, names) => {
    expect(isForm(type)).toBe(true);
    const read = (): unknown => shown(by(`${named("a", "1")}--b--`, type));
    if (names) expect(read()).toEqual([["a", false, "1"]]);
    else expect(read).toThrow("names no boundary");
  });

  it("is not what only looks like one", () =>
    expect([isForm("application/json"), isForm("multipart/form-database"), isForm("")]).toEqual([false, false, false]));

  it("never throws but what it says, and never reads past its end", () => {
    const whole = Buffer.from(`${named("model", "m")}${part('Content-Disposition: form-data; name="f"; filename="x"', "abc")}--b--`);
    for (let at = 0; at < whole.length; at++)
      expect(() => readForm(whole.subarray(0, at), "multipart/form-data; boundary=b")).toThrow(/, at byte \d+/);
  });
});

describe("fields", () => {
  const { body, type } = by(
    `${named("model", "m1")}${named("n", "3")}${named("n", "4")}${named("stream", "True")}${named("x", "-1")}--b--`,
  );
  const fields = readForm(body, type);

  it("are read as words, numbers and switches", () => {
    expect(fieldModel(body, fields)).toBe("m1");
    expect([fieldWhole(body, fields, "n"), fieldWhole(body, fields, "x"), fieldWhole(body, fields, "none")]).toEqual([4, null, null]);
    expect([fieldIsTrue(body, fields, "stream"), fieldIsTrue(body, fields, "n")]).toEqual([true, false]);
    expect([fieldText(body, fields, "model", 1), fieldText(body, fields, "none", 1)]).toEqual(["m", null]);
  });

  it("that name two models, or one too long, are refused", () => {
    const two = by(`${named("model", "cheap")}${named("model", "dear")}--b--`);
    expect(() => fieldModel(two.body, readForm(two.body, two.type))).toThrow("second model");
    const long = by(`${named("model", "m".repeat(257))}--b--`);
    expect(() => fieldModel(long.body, readForm(long.body, long.type))).toThrow("longer than 256 bytes");
  });
});
