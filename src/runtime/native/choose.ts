/** Whether our own kernels compute a model's steps: what was asked for, what they know, what this machine has. One answer for plans and runs. */
import type { Device } from '../../graph/onnx/emit.ts';
import type { ModelConfig } from '../../models/config.ts';
import { type Blocks, unsupported } from './block-stages.ts';
import type { Kernels } from './kernels.ts';
import { type Loaded, loadKernels } from './load.ts';

export interface Asked {
  /** native: in either precision; auto: in int8, where they are quicker by most. */
  readonly engine: 'auto' | 'onnxruntime' | 'native';
  readonly device?: Device | undefined;
}

/** The kernels; or null, with why there are none in words for people, where some were wanted. */
export type Choice =
  | (Loaded & { readonly kernels: Kernels })
  | { readonly kernels: null; readonly reason: string | null };

const none = (reason: string | null): Choice => ({ kernels: null, reason });

export function chooseKernels({ device, engine }: Asked, config: ModelConfig, blocks: Blocks): Choice {
  const wanted = engine === 'auto' ? blocks.precision === 'int8' : engine === 'native';
  if (!wanted) return none(null);
  if (device === 'webgpu') return none('the kernels run on the CPU');
  const loaded = loadKernels({ untried: engine === 'native' });
  if (!loaded.kernels) return loaded;
  const lacking = unsupported(config, blocks);
  return lacking === null ? loaded : none(lacking);
}
