// Files that people bring, as text. Not here: what is in them. Invariant: what is not UTF-8 is no text; read all the same, names that differ would be one.

/** Without its mark; null: it is not UTF-8. */
export async function readUtf8(file: Blob): Promise<string | null> {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
