// CSV dialects: decode bytes to text, split text into rows of cells, by the same rules as `training`.

import { Unreadable } from "./numbers.js";

const DELIMITERS = ["\t", ";", "|", ","];
const SAMPLE_LINES = 60;
const MAX_BYTES = 20 * 2 ** 20;

// Reads a file as text. Throws Unreadable if it is not text.
export async function readFile(file) {
  if (file.size > MAX_BYTES) throw new Unreadable(`${file.name} is larger than 20 MB; only its end is needed.`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return decode(await unzip(file), file.name);
  return decode(bytes, file.name);
}

async function unzip(file) {
  try {
    const opened = file.stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(opened).arrayBuffer());
  } catch {
    throw new Unreadable(`${file.name} cannot be decompressed; it is damaged.`);
  }
}

function decode(bytes, name) {
  const head = [...bytes.slice(0, 4)];
  const isBinary = ["80,75,3,4", "80,65,82,49", "65,82,82,79", "40,181,47,253", "137,80,78,71"].includes(head.join());
  if (isBinary) throw new Unreadable(`${name} is not text; export the table as CSV.`);
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  const zeros = [...bytes.slice(0, 200)].filter((byte) => byte === 0).length;
  if (zeros > 20) return new TextDecoder(bytes[0] === 0 ? "utf-16be" : "utf-16le").decode(bytes);
  if (bytes.includes(0)) throw new Unreadable(`${name} holds a zero byte; the file is damaged or no text.`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

// Splits a text into [{cells, line}] without blank lines. Throws Unreadable.
export function split(text) {
  let content = text.replace(/^\uFEFF/, "");
  if (/^\s*[{[]/.test(content)) throw new Unreadable("This is JSON; the page reads CSV.");
  const named = /^sep=(.)\r?\n/.exec(content);
  if (named) content = content.slice(named[0].length);
  const sample = content.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const delimiter = named?.[1] ?? delimiterOf(sample.slice(0, SAMPLE_LINES).join("\n"));
  const quoteChar = sample.slice(1, 4).every((line) => line.startsWith("'")) ? "'" : '"';
  const { data, errors } = globalThis.Papa.parse(content, { delimiter, quoteChar, comments: "#" });
  const broken = errors.find(({ code }) => code === "MissingQuotes");
  if (broken) throw new Unreadable(`Line ${broken.row + 1} or below: a quote is opened and not closed.`);
  const rows = data.map((cells, row) => ({ cells: cells.map((cell) => cell.replace(/[\r\n]+/g, " ").trim()), line: row + 1 + (named ? 1 : 0) }));
  const last = rows.findLastIndex(isFilled);
  // With a single column a blank line is a missing value; with several columns blank lines are skipped.
  return rows.slice(0, last + 1).filter((row) => isFilled(row) || rows[last].cells.length === 1);
}

function isFilled({ cells }) {
  return cells.some((cell) => cell !== "");
}

// The delimiter for which the largest share of lines has the same number of cells, at least two.
function delimiterOf(sample) {
  const share = (delimiter) => {
    const lines = globalThis.Papa.parse(sample, { delimiter }).data.map((cells) => cells.length);
    const width = mode(lines);
    return width < 2 ? 0 : lines.filter((count) => count === width).length / lines.length;
  };
  const shares = DELIMITERS.map(share);
  const best = Math.max(...shares);
  return best === 0 ? "," : DELIMITERS[shares.indexOf(best)];
}

// The most frequent number of cells per row.
export function usualWidth(rows) {
  return mode(rows.slice(0, SAMPLE_LINES).map((row) => row.cells.length));
}

function mode(counts) {
  const seen = new Map();
  for (const count of counts) seen.set(count, (seen.get(count) ?? 0) + 1);
  return [...seen].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [0, 0])[0];
}

