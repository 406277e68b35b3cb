export const chromiumPath: string | undefined;
export function openChromium(): Promise<{
  send(method: string, params?: object): Promise<unknown>;
  evaluate(expression: string): Promise<unknown>;
  on(event: string, listener: (params: never) => void): void;
  close(): Promise<void>;
}>;
