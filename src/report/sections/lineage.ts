/** Where an adapter comes from, as a picture: adapters, data and bases as boxes, what was made above what of. Pure. */
import type { LineageEntry } from '../../adapter/lineage.ts';
import { short } from '../figures.ts';
import { type LineageTree, lineageTree, type TreeEdge, type TreeNode } from '../lineage-tree.ts';
import { type Html, html } from '../markup.ts';
import { note, part } from '../parts.ts';
import { label, type Text } from '../say.ts';
import { words } from '../words.ts';

const { lineage: said } = words;

/** Pixels: of a box, and between boxes. */
const [boxWidth, boxHeight, gapX, gapY] = [190, 46, 18, 38];
/** Characters that fit into a box; the whole name is its title. */
const shownCharacters = 24;
/** Of a digest, enough to tell two files apart. */
const shownDigest = 12;

const cut = (name: string): string =>
  [...name].length > shownCharacters ? `${[...name].slice(0, shownCharacters - 1).join('')}…` : name;

/** A text in both languages, of which the style shows one, as SVG has it. */
const spans = ({ en, zh }: Text): Html => html`<tspan class="en">${en}</tspan><tspan class="zh">${zh}</tspan>`;

const kindOf = ({ entry, kind }: TreeNode): Text => (kind === 'adapter' ? said[entry?.how ?? 'unknown'] : said[kind]);

/** The left upper corner; each row stands in the middle. */
const cornerOf = (tree: LineageTree, { place, row }: TreeNode): readonly [number, number] => {
  const own = tree.nodes.filter((node) => node.row === row).length;
  const left = ((tree.width - own) * (boxWidth + gapX)) / 2;
  return [1 + left + place * (boxWidth + gapX), 1 + row * (boxHeight + gapY)];
};

function line(tree: LineageTree, { from, to, weight }: TreeEdge): Html {
  const [above, below] = [cornerOf(tree, tree.nodes[from]!), cornerOf(tree, tree.nodes[to]!)];
  const [x1, y1, x2, y2] = [above[0] + boxWidth / 2, above[1] + boxHeight, below[0] + boxWidth / 2, below[1]];
  const middle = (y1 + y2) / 2;
  const text =
    weight === undefined
      ? null
      : html`<text class="weight" x="${(x1 + x2) / 2 + 4}" y="${middle}">${short(weight)} ×</text>`;
  return html`<path d="M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}"/>${text}`;
}

function box(tree: LineageTree, node: TreeNode): Html {
  const [x, y] = cornerOf(tree, node);
  return html`<g class="${node.kind}"><title>${node.name} (sha256 ${node.digest})</title><rect x="${x}" y="${y}" width="${boxWidth}" height="${boxHeight}" rx="6"/><text x="${x + 10}" y="${y + 19}">${cut(node.name)}</text><text class="kind" x="${x + 10}" y="${y + 36}">${spans(kindOf(node))} ${node.digest.slice(0, shownDigest)}</text></g>`;
}

/** The tree with its heading; null where nothing is known. */
export function lineagePart(entries: readonly LineageEntry[] | null | undefined): Html | null {
  if (!entries || entries.length === 0) return null;
  const tree = lineageTree(entries);
  const width = tree.width * (boxWidth + gapX) - gapX + 2;
  const height = tree.rows * (boxHeight + gapY) - gapY + 2;
  const picture = html`<div class="scroll" tabindex="0" role="group" ${label(said.title)}><svg class="lineage" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" ${label(said.picture)}>${tree.edges.map((edge) => line(tree, edge))}${tree.nodes.map((node) => box(tree, node))}</svg></div>`;
  const more = tree.hidden > 0 ? note(said.hidden({ n: String(tree.hidden) })) : null;
  return part(said.title, [picture, note(said.note), html`${more}`]);
}
