/** An adapter with how strongly it counts. */
export interface Chosen {
  readonly id: string;
  readonly weight: number;
}
