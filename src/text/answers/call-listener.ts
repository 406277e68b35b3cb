/** What is said of calls while they are read. `open` comes first; then `close`, or nothing where it is no call after all. */
export interface CallListener {
  readonly open: (name: string) => void;
  /** More of the arguments: at any time the beginning of a JSON object. */
  readonly arguments: (json: string) => void;
  readonly close: () => void;
}
