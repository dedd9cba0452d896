import { createHmac } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openNames } from "./names.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pennyworth-names-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function isInAnyFile(name: string): boolean {
  return readdirSync(folder).some((file) => readFileSync(join(folder, file)).includes(name));
}

describe("names", () => {
  it("are tokens, the same for ever in one data folder and others in another", async () => {
    let names = await openNames(folder);
    const secret = readFileSync(join(folder, "secret"));
    expect([secret.length, statSync(join(folder, "secret")).mode & 0o777]).toEqual([32, 0o600]);
    const tokens = new Map<string, string>();
    for (const name of ["Ada Lovelace", "ada@example.com", "n_0000000000000000", "", "-", "名前", "x".repeat(5000)]) {
      const token = names.token(name);
      expect(token).toBe(`n_${createHmac("sha256", secret).update(name).digest("hex").slice(0, 16)}`);
      expect(names.token(name)).toBe(token);
      expect(await names.name(token)).toBe(name);
      tokens.set(name, token);
    }
    await names.close();
    names = await openNames(folder);
    for (const [name, token] of tokens) expect([await names.name(token), names.token(name)]).toEqual([name, token]);
    expect(await names.name("n_ffffffffffffffff")).toBeNull();
    await names.close();
  });

  it("are not learnt by a question, and texts are sealed by the folder's secret", async () => {
    const names = await openNames(folder);
    const token = names.tokenOf("only asked for");
    expect(await names.name(token)).toBeNull();
    expect(names.token("only asked for")).toBe(token);
    expect(await names.name(token)).toBe("only asked for");
    const sealed = names.seal("only asked for");
    expect(sealed).toMatch(/^[0-9a-f]{32}$/);
    expect(sealed.startsWith(token.slice(2))).toBe(false);
    await names.close();
    const again = await openNames(folder);
    expect(again.seal("only asked for")).toBe(sealed);
    await again.close();
    rmSync(join(folder, "secret"));
    const other = await openNames(folder);
    expect(other.seal("only asked for")).not.toBe(sealed);
    await other.close();
  });

  it("are gone from every byte once forgotten, and do not come back", async () => {
    let names = await openNames(folder);
    const tokens = Array.from({ length: 3000 }, (_, index) => names.token(`customer number ${index} of them`));
    await names.close();
    names = await openNames(folder);
    expect(isInAnyFile("customer number 1234 of them")).toBe(true);
    const forgetting = names.forget("customer number 1234 of them");
    const learnt = names.token("came in between");
    expect(await forgetting).toBe(true);
    expect(isInAnyFile("customer number 1234 of them")).toBe(false);
    expect(names.token("customer number 1234 of them")).toBe(tokens[1234]);
    expect(await names.name(tokens[1234] as string)).toBeNull();
    expect(await names.forget("customer number 1234 of them")).toBe(false);
    expect(await names.forget(tokens[77] as string)).toBe(true);
    await names.close();
    names = await openNames(folder);
    expect(names.token("customer number 1234 of them")).toBe(tokens[1234]);
    for (const index of [1234, 77]) expect(await names.name(tokens[index] as string)).toBeNull();
    expect(await names.name(learnt)).toBe("came in between");
    for (const index of [0, 76, 78, 1233, 2999]) expect(await names.name(tokens[index] as string)).toBe(`customer number ${index} of them`);
    expect(isInAnyFile("customer number 77 of them")).toBe(false);
    expect(await names.forget("never seen")).toBe(false);
    expect(await names.name(names.token("never seen"))).toBeNull();
    await names.close();
    expect(isInAnyFile("customer number 1234")).toBe(false);
  });

  it("finish a forgetting that a crash broke off", async () => {
    let names = await openNames(folder);
    const token = names.token("Grace");
    await names.close();
    writeFileSync(join(folder, "names.new"), "half");
    names = await openNames(folder);
    expect(await names.name(token)).toBe("Grace");
    await names.close();
    expect(readdirSync(folder).sort()).toEqual(["names", "names-lock", "secret"]);
  });

  it("have keys derived for one purpose each", async () => {
    const names = await openNames(folder);
    expect(names.derive("prefix")).toEqual(names.derive("prefix"));
    expect(names.derive("prefix").length).toBe(32);
    expect(names.derive("prefix")).not.toEqual(names.derive("other"));
    await names.close();
    writeFileSync(join(folder, "secret"), "short");
    await expect(openNames(folder)).rejects.toMatchObject({ code: "config_invalid" });
  });
});
