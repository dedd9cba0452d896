import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Journal, type JournalOptions } from "./journal.ts";
import { KeyRing } from "./keys.ts";
import { segmentPath } from "./segments.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pennyworth-keys-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const options: JournalOptions = {
  segmentBytesMax: 500,
  syncMs: 5,
  durability: "batched",
  now: () => 0,
  onFatal: (error) => {
    throw error;
  },
};
const wanted = { name: "ci", team: "platform", role: "use" } as const;

describe("Pennyworth's own keys", () => {
  it("are known until revoked, and still after restarts over several segments", async () => {
    let journal = await Journal.open(folder, options);
    let ring = new KeyRing(journal);
    const kept = ring.create(wanted);
    const lost = ring.create({ name: "old", team: null, role: "administer" });
    expect(kept.secret).toMatch(/^pw_[0-9A-Za-z]{32}$/);
    expect(kept.key.hash).toBe(createHash("sha256").update(kept.secret).digest("hex"));
    expect(ring.revoke("old")).toMatchObject({ id: lost.key.id, revokedMs: expect.any(Number) });
    for (let by = 1; by < 30; by++) journal.append({ kind: "clock", atMs: 1, byMs: by });
    for (let round = 0; round < 2; round++) {
      expect(ring.check(kept.secret)).toMatchObject({ ...wanted, id: kept.key.id });
      expect(() => ring.check(lost.secret)).toThrow(expect.objectContaining({ code: "key_revoked" }));
      expect(() => ring.check(`${kept.secret}x`)).toThrow(expect.objectContaining({ code: "key_unknown" }));
      expect(() => ring.check("")).toThrow(expect.objectContaining({ code: "key_unknown" }));
      expect(ring.list().map((key) => [key.name, key.revokedMs !== null])).toEqual([
        ["ci", false],
        ["old", true],
      ]);
      expect(ring.size).toBe(1);
      await journal.close();
      journal = await Journal.open(folder, options);
      ring = new KeyRing(journal);
    }
    await journal.close();
    expect(journal.position.segment).toBeGreaterThan(2);
    for (let segment = 1; segment <= journal.position.segment; segment++)
      expect(readFileSync(segmentPath(folder, segment), "utf8")).not.toContain(kept.secret.slice(3));
  });

  it("have names of their own among those in force", async () => {
    const journal = await Journal.open(folder, options);
    const ring = new KeyRing(journal);
    const first = ring.create(wanted);
    expect(() => ring.create(wanted)).toThrow(expect.objectContaining({ code: "key_name_taken", status: 409 }));
    expect(ring.revoke(first.key.id)).toMatchObject({ name: "ci" });
    const second = ring.create(wanted);
    expect(second.secret).not.toBe(first.secret);
    expect(ring.revoke(first.key.id)?.id).toBe(first.key.id);
    expect(ring.revoke("nobody")).toBeNull();
    expect(ring.check(second.secret)).toMatchObject({ id: second.key.id });
    await journal.close();
  });

  it("use all 62 characters alike", async () => {
    const journal = await Journal.open(folder, { ...options, segmentBytesMax: 1 << 20 });
    const ring = new KeyRing(journal);
    const counts = new Map<string, number>();
    for (let number = 0; number < 600; number++)
      for (const character of ring.create({ ...wanted, name: `k${number}` }).secret.slice(3))
        counts.set(character, (counts.get(character) ?? 0) + 1);
    await journal.close();
    const expected = (600 * 32) / 62;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(counts.size).toBe(62);
    // 61 degrees of freedom: above 120 once in some hundred thousand runs; leaning to eight characters would give about 500.
    expect(chiSquare).toBeLessThan(130);
  });
});
