import type { Browser, BrowserContext, Page } from 'playwright-core';

export const lookNames: readonly string[];
export const csv: string;
export function openPage(): Promise<{
  browser: Browser;
  context: BrowserContext;
  page: Page;
  faults: string[];
  left: string[];
}>;
export function faultsOf(page: Page, name: string, options?: { out?: string | null; names?: readonly string[] }): Promise<string[]>;
export function walk(page: Page, url: string, at: (name: string) => Promise<void>, options?: { epochs?: string }): Promise<string>;
export function walkOn(page: Page, origin: string, run: string, at: (name: string) => Promise<void>): Promise<void>;
