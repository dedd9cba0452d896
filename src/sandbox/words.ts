// What the sandbox says: plain words, after a sentence that owns up to being the sandbox. One word is one token.
// Invariant: the text needs no JSON escapes, so it may be pasted between quotes.

import { generator } from "./random.ts";

const greeting = "This is Pennyworth's sandbox answering; no model was asked. What follows are plain words that mean nothing:".split(" ");
const vocabulary = (
  "a about after all also always an and another any apple are around as ask at autumn back be been before began between bird boat book both " +
  "bread bright brother but by call came can change city close cloud cold come could country day did different do door down each early earth " +
  "end enough even every eye fair far father few field find fire first follow food for found friend from garden gave good grass great green " +
  "had hand harbour has have hear help her here high hill his home hour house how if in into is island it just keep kind know lake land large " +
  "last late leaf learn leave left letter life light line little long look made make many may meadow mean might morning most mountain move " +
  "much must name near never new next night north not now number of off often old on once one only open or other our out over own paper part " +
  "people place plain play point quiet rain read right river road room same saw say school sea second see seem sentence set she short should " +
  "side small snow so some song soon south spring stand star start still stone stop story such summer sun table take tell than that the their " +
  "them then there these they thing think this those thought three through time to together too took town tree turn two under until up use " +
  "very walk want warm was water way we well went were west what when where which while white who why will wind window winter with without " +
  "wood word work world would write year yellow you young"
).split(" ");

const corpusWords = 16_384;
const { corpus, starts } = build();

/** `count` words from place `start` of the corpus (a whole number, zero or more), the greeting first. */
export function text(count: number, start: number): string {
  if (count <= greeting.length) return greeting.slice(0, count).join(" ");
  let out = greeting.join(" ");
  let left = count - greeting.length;
  let from = start % corpusWords;
  while (left > 0) {
    const to = Math.min(corpusWords, from + left);
    out += corpus.slice(starts[from], starts[to]);
    left -= to - from;
    from = 0;
  }
  return out;
}

/** The text in pieces of `size` words each; put together they are the text. */
export function pieces(whole: string, size: number): string[] {
  const out: string[] = [];
  let from = 0;
  let words = 0;
  for (let space = whole.indexOf(" "); space !== -1; space = whole.indexOf(" ", space + 1)) {
    words += 1;
    if (words < size) continue;
    out.push(whole.slice(from, space));
    from = space;
    words = 0;
  }
  if (from < whole.length) out.push(whole.slice(from));
  return out;
}

export function countWords(whole: string): number {
  let words = whole === "" ? 0 : 1;
  for (let space = whole.indexOf(" "); space !== -1; space = whole.indexOf(" ", space + 1)) words += 1;
  return words;
}

function build(): { corpus: string; starts: Uint32Array } {
  const random = generator(4242);
  const starts = new Uint32Array(corpusWords + 1);
  let corpus = "";
  for (let index = 0; index < corpusWords; index += 1) {
    starts[index] = corpus.length;
    corpus += ` ${vocabulary[Math.floor(random() * vocabulary.length)] ?? "word"}`;
  }
  starts[corpusWords] = corpus.length;
  return { corpus, starts };
}
