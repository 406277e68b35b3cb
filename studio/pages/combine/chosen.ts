/** An adapter with how strongly it counts. */
export interface Chosen {
  readonly id: string;
  readonly weight: number;
}

/** Where a slider stands first. */
export const usualWeight = 0.5;
