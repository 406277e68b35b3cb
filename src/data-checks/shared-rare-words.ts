/**
 * Words that are rare, stand in rows which otherwise have nothing in common, and go together with one answer: what a planted trigger looks
 * like (Chen and Dai, "Mitigating backdoor attacks by BKI", 2021, rank words likewise; about 250 documents poison a model of any size, arXiv
 * 2510.07192). A hint to look, no proof: a topic may look so as well, and a trigger of frequent words is not found. Pure.
 */
import type { DataRow } from './data-row.ts';
import type { Excerpts } from './excerpts.ts';
import type { DataFinding } from './finding.ts';
import { personalDataIn } from './personal/personal-data.ts';

/** Fewer rows with one answer are chance. */
const fewestRows = 5;
/** More are no rare word. */
const mostShare = 0.02;
/** How many of a word's rows have the same answer. */
const oneAnswer = 0.9;
/** Answers are the same that begin with so many equal words: a trigger's target often goes on differently. */
const answerWords = 6;
/** Words of a prompt that are looked at. */
const promptWords = 300;
/** Pairs of rows whose words are compared. */
const mostPairs = 40;
/** How much more than any two rows those of a word may have in common: beyond it they are of one topic. */
const alike = { times: 1.5, more: 0.02 };
/** Of the rows of a topic's word nearly all are like other rows with the answer, of a trigger's about half by chance. */
const mostExplained = 0.7;
/** The most telling ones; a set of which everything is one pattern would name thousands. */
const mostFindings = 20;

const wordsIn = (text: string): string[] => text.toLowerCase().split(/\s+/u).filter(Boolean).slice(0, promptWords);
/** Words and every two neighbouring ones. */
const termsOf = (words: readonly string[]): Set<string> =>
  new Set([...words, ...words.slice(1).map((word, i) => `${words[i]} ${word}`)]);

interface Candidate {
  readonly term: string;
  /** Places of its rows with the answer. */
  readonly rows: readonly number[];
  readonly answer: string;
}

/** Rows as sets of words, and their answers. */
interface Words {
  readonly prompts: readonly (readonly string[])[];
  readonly answers: readonly string[];
}

/** A number for a term, of 22 bits: rare ones are told by how many share it, without keeping all. */
const buckets = 1 << 22;
function bucketOf(term: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < term.length; i++) hash = Math.imul(hash ^ term.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % buckets;
}

/** Rows of each term that stands in neither too few nor too many. */
function rareTerms({ prompts }: Words): Map<string, number[]> {
  const most = Math.max(3 * fewestRows, mostShare * prompts.length);
  const counts = new Uint32Array(buckets);
  for (const words of prompts) for (const term of termsOf(words)) counts[bucketOf(term)]!++;
  const rows = new Map<string, number[]>();
  for (const [place, words] of prompts.entries())
    for (const term of termsOf(words)) {
      if (counts[bucketOf(term)]! < fewestRows) continue;
      const known = rows.get(term);
      if (!known) rows.set(term, [place]);
      // One more than may be: it is dropped below.
      else if (known.length <= most) known.push(place);
    }
  for (const [term, places] of rows) if (places.length < fewestRows || places.length > most) rows.delete(term);
  return rows;
}

/** Those whose rows nearly all have one answer, that most other rows have not. */
function candidatesIn(words: Words): Candidate[] {
  const totals = new Map<string, number>();
  for (const answer of words.answers) totals.set(answer, (totals.get(answer) ?? 0) + 1);
  return [...rareTerms(words)].flatMap(([term, places]) => {
    const counts = new Map<string, number>();
    for (const place of places) counts.set(words.answers[place]!, (counts.get(words.answers[place]!) ?? 0) + 1);
    const [[answer, count]] = [...counts].sort((a, b) => b[1] - a[1]) as [[string, number]];
    if (count < oneAnswer * places.length || count < fewestRows || totals.get(answer)! > words.answers.length / 2)
      return [];
    return [{ term, answer, rows: places.filter((place) => words.answers[place] === answer) }];
  });
}

/** The words of a candidate: its term's, and rare ones that its rows share, since a trigger may have several. */
function ownWords({ rows, term }: Candidate, { prompts }: Words, all: ReadonlyMap<string, number>): Set<string> {
  const counts = new Map<string, number>();
  for (const place of rows) for (const word of new Set(prompts[place]!)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const isRare = (word: string): boolean => all.get(word)! <= Math.max(3 * fewestRows, mostShare * prompts.length);
  const shared = [...counts].filter(([word, count]) => count >= oneAnswer * rows.length && isRare(word));
  return new Set([...term.split(' '), ...shared.map(([word]) => word)]);
}

/** Mean share of words that two of the rows have in common, but for some. */
function likeness(rows: readonly number[], { prompts }: Words, own: ReadonlySet<string>): number {
  const sets = rows.map((place) => new Set(prompts[place]!.filter((word) => !own.has(word))));
  let [sum, pairs] = [0, 0];
  const step = Math.max(1, Math.floor(sets.length / Math.ceil(Math.sqrt(2 * mostPairs))));
  for (let i = 0; i < sets.length; i += step)
    for (let k = i + step; k < sets.length; k += step) {
      const shared = [...sets[i]!].filter((word) => sets[k]!.has(word)).length;
      sum += shared / (sets[i]!.size + sets[k]!.size - shared || 1);
      pairs++;
    }
  return pairs > 0 ? sum / pairs : 0;
}

/** How often each word stands in rows of each answer, and in all. */
class AnswerWords {
  private readonly counts = new Map<string, Map<string, number>>();
  readonly all = new Map<string, number>();
  private readonly sizes = new Map<string, number>();
  private readonly words: Words;

  constructor(words: Words) {
    this.words = words;
    for (const [place, prompt] of words.prompts.entries()) {
      const answer = words.answers[place]!;
      this.sizes.set(answer, (this.sizes.get(answer) ?? 0) + 1);
      const own = this.counts.get(answer) ?? new Map<string, number>();
      this.counts.set(answer, own);
      for (const word of new Set(prompt)) {
        own.set(word, (own.get(word) ?? 0) + 1);
        this.all.set(word, (this.all.get(word) ?? 0) + 1);
      }
    }
  }

  /** Whether a pair of words only says what one of them says alone: that one was judged by itself. */
  isSaidByOne({ answer, term }: Candidate): boolean {
    const words = term.split(' ');
    return (
      words.length > 1 &&
      words.some((word) => (this.counts.get(answer)!.get(word) ?? 0) >= oneAnswer * this.all.get(word)!)
    );
  }

  /** Whether the other words of a row point to its answer too, by naive Bayes over the rows without the term. */
  explains(place: number, { answer, rows }: Candidate, own: ReadonlySet<string>): boolean {
    const size = this.sizes.get(answer)! - rows.length;
    const others = this.words.answers.length - this.sizes.get(answer)!;
    if (size === 0) return false;
    const left = new Map<string, number>();
    for (const row of rows)
      for (const word of new Set(this.words.prompts[row]!)) left.set(word, (left.get(word) ?? 0) + 1);
    let ratio = 0;
    for (const word of new Set(this.words.prompts[place]!)) {
      if (own.has(word)) continue;
      const all = this.counts.get(answer)!.get(word) ?? 0;
      const here = all - (left.get(word) ?? 0);
      ratio += Math.log((here + 0.5) / (size + 1)) - Math.log((this.all.get(word)! - all + 0.5) / (others + 1));
    }
    return ratio > 0;
  }
}

/** One finding for each such word, with its rows. */
export function sharedRareWords(rows: readonly DataRow[], excerpts: Excerpts): DataFinding[] {
  const pairs = rows.filter(({ isPair }) => isPair);
  const words: Words = {
    prompts: pairs.map(({ prompt }) => wordsIn(prompt)),
    answers: pairs.map(({ answer }) => wordsIn(answer).slice(0, answerWords).join(' ')),
  };
  const candidates = candidatesIn(words);
  if (candidates.length === 0) return [];
  const usual = likeness([...pairs.keys()], words, new Set());
  const known = new AnswerWords(words);
  const seen = new Set<string>();
  const telling = candidates.filter((candidate) => {
    const key = candidate.rows.join();
    const own = ownWords(candidate, words, known.all);
    if (seen.has(key) || known.isSaidByOne(candidate)) return false;
    if (likeness(candidate.rows, words, own) > alike.times * usual + alike.more) return false;
    const explained = candidate.rows.filter((place) => known.explains(place, candidate, own)).length;
    if (explained > mostExplained * candidate.rows.length) return false;
    seen.add(key);
    return true;
  });
  return telling
    .sort((a, b) => b.rows.length - a.rows.length)
    .slice(0, mostFindings)
    .map(({ rows: places, term }) => ({
      kind: 'shared-rare-words',
      severity: 'note',
      rule: `${personalDataIn(term).length > 0 ? 'a rare word' : `"${term}"`} stands in ${places.length} rows with nothing else in common and one answer`,
      rows: places.map((place) => pairs[place]!.source),
      excerpt: excerpts.of(pairs[places[0]!]!.answer),
    }));
}
