/** What a stand-in for the hub keeps: repositories with branches and commits, and large files by their digests. Knows no HTTP. */
import { createHash } from 'node:crypto';
import { parse } from 'yaml';

export interface StoredFile {
  readonly body: Buffer;
  /** sha256 of a large file; null where git has the file itself. */
  readonly lfs: string | null;
}

export type Tree = ReadonlyMap<string, StoredFile>;

export interface StoredCommit {
  readonly id: string;
  readonly parent: string | null;
  readonly title: string;
  readonly tree: Tree;
}

export interface StoredRepo {
  readonly name: string;
  readonly isPrivate: boolean;
  /** By branch, the newest first commit's id. */
  readonly branches: Map<string, string>;
  readonly commits: Map<string, StoredCommit>;
}

export const sha256 = (body: Buffer): string => createHash('sha256').update(body).digest('hex');
/** As git names the contents of a file. */
export const gitOid = (body: Buffer): string =>
  createHash('sha1').update(`blob ${body.length}\0`).update(body).digest('hex');

/** What the hub makes a large file of, by its attributes or its size. */
export const isLarge = (path: string, bytes: number): boolean =>
  /\.(safetensors|gguf|bin|onnx)$/.test(path) || bytes > 10e6;

/** One line of a commit's body. */
export interface CommitLine {
  readonly key: 'header' | 'file' | 'lfsFile' | 'deletedFile' | 'deletedFolder';
  readonly value: Record<string, string>;
}

export class HubRepos {
  readonly repos = new Map<string, StoredRepo>();
  /** Large files by sha256. */
  readonly large = new Map<string, Buffer>();
  private count = 0;

  create(name: string, isPrivate: boolean): StoredRepo {
    const repo = { name, isPrivate, branches: new Map(), commits: new Map() };
    this.repos.set(name, repo);
    const body = Buffer.from(
      '*.safetensors filter=lfs diff=lfs merge=lfs -text\n*.gguf filter=lfs diff=lfs merge=lfs -text\n',
    );
    this.put(repo, 'main', 'initial commit', new Map([['.gitattributes', { body, lfs: null }]]));
    return repo;
  }

  /** A repository with these files, without a push. */
  publish(name: string, files: Readonly<Record<string, Buffer | string>>, isPrivate = false): StoredRepo {
    const repo = this.repos.get(name) ?? this.create(name, isPrivate);
    const tree = new Map(this.at(repo, 'main')!.tree);
    for (const [path, text] of Object.entries(files)) {
      const body = Buffer.from(text as string);
      const lfs = isLarge(path, body.length) ? sha256(body) : null;
      if (lfs) this.large.set(lfs, body);
      tree.set(path, { body, lfs });
    }
    this.put(repo, 'main', 'published', tree);
    return repo;
  }

  /** The commit of a branch or an id. */
  at(repo: StoredRepo, revision: string): StoredCommit | undefined {
    const id = revision === 'HEAD' ? 'main' : revision;
    return repo.commits.get(repo.branches.get(id) ?? id);
  }

  private put(repo: StoredRepo, branch: string, title: string, tree: Tree): StoredCommit {
    const parent = repo.branches.get(branch) ?? null;
    const id = createHash('sha1')
      .update(`${repo.name} ${title} ${parent} ${++this.count}`)
      .digest('hex');
    const commit = { id, parent, title, tree };
    repo.commits.set(id, commit);
    repo.branches.set(branch, id);
    return commit;
  }

  /** What the lines say, whole or not at all; a text where it is refused. */
  commit(repo: StoredRepo, branch: string, lines: readonly CommitLine[]): StoredCommit | string {
    const head = this.at(repo, branch);
    if (!head) return 'no such branch';
    const tree = new Map(head.tree);
    const header = lines.find(({ key }) => key === 'header')!.value;
    if (header['parentCommit'] && header['parentCommit'] !== head.id) return 'A commit has happened since';
    for (const { key, value } of lines) {
      if (key === 'file') tree.set(value['path']!, { body: Buffer.from(value['content']!, 'base64'), lfs: null });
      if (key === 'deletedFile') tree.delete(value['path']!);
      if (key !== 'lfsFile') continue;
      const body = this.large.get(value['oid']!);
      if (!body) return `large file ${value['path']} was not uploaded`;
      tree.set(value['path']!, { body, lfs: value['oid']! });
    }
    return this.put(repo, branch, header['summary']!, tree);
  }
}

/** The front matter of a card. */
export function cardOf(file: StoredFile | undefined): Record<string, unknown> {
  const [, yaml = ''] = /^---\n([\s\S]*?)\n---/.exec(String(file?.body ?? '')) ?? [];
  return (parse(yaml) as Record<string, unknown> | null) ?? {};
}

/** As a listing has it. */
export function entry(path: string, { body, lfs }: StoredFile): Record<string, unknown> {
  const pointer = Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${lfs}\nsize ${body.length}\n`);
  const common = { type: 'file', path, size: body.length, oid: gitOid(lfs === null ? body : pointer) };
  return lfs === null ? common : { ...common, lfs: { oid: lfs, size: body.length, pointerSize: pointer.length } };
}

/** An answer that refuses, with the hub's code for it. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
