/** Files that were dropped, those of dropped folders among them. */

/** A folder that was dropped by mistake ends somewhere. */
const mostFiles = 200;
const hidden = /^\./;

const readAll = (reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> =>
  new Promise((resolve, reject) => reader.readEntries(resolve, reject));

async function filesIn(entry: FileSystemEntry | null, found: File[]): Promise<void> {
  if (!entry || hidden.test(entry.name) || found.length >= mostFiles) return;
  if (entry.isFile) {
    found.push(await new Promise((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives its entries in parts, and none at the end.
  for (let some = await readAll(reader); some.length > 0; some = await readAll(reader))
    for (const each of some) await filesIn(each, found);
}

export async function filesOfDrop(dropped: DataTransfer | null): Promise<File[]> {
  const entries = [...(dropped?.items ?? [])]
    .filter(({ kind }) => kind === 'file')
    .map((item) => item.webkitGetAsEntry());
  if (entries.every((entry) => entry === null)) return [...(dropped?.files ?? [])];
  const found: File[] = [];
  for (const entry of entries) await filesIn(entry, found);
  return found;
}
