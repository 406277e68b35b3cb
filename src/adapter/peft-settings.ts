/**
 * adapter_config.json as nomoat writes it: the settings under which PEFT gives each module what it has here. Promises:
 * the fields that PEFT 0.9 knows; later versions give the rest their defaults, while a field that a reader does not know
 * makes it warn. Pure. Settings: peft/tuners/lora/config.py.
 */
import { adaptedProjections, type LoraAdapter, type LoraPair, moduleKey } from '../lora/adapter.ts';
import { peftModulePath } from './module-names.ts';
import { mostFrequent } from './most-frequent.ts';

/** What most pairs have, and by the names of the others what they have: a projection's name where all of it has the same. */
function patterned(
  pairs: readonly LoraPair[],
  numberOf: (pair: LoraPair) => number,
): { most: number; pattern: Record<string, number> } {
  const most = mostFrequent(pairs.map(numberOf));
  const pattern: Record<string, number> = {};
  for (const projection of adaptedProjections(pairs)) {
    const own = pairs.filter((pair) => pair.projection === projection);
    const [value, ...others] = new Set(own.map(numberOf));
    if (others.length === 0) {
      if (value !== most) pattern[projection] = value!;
      continue;
    }
    for (const pair of own) if (numberOf(pair) !== most) pattern[peftModulePath(pair)] = numberOf(pair);
  }
  return { most, pattern };
}

/** Which modules PEFT makes: the same ones of some layers, or else each by its path. `layers`: of the model. */
function targetSettings(
  pairs: readonly LoraPair[],
  layers: number,
): { target_modules: string[]; layers_to_transform: number[] | null } {
  const names = adaptedProjections(pairs);
  const there = new Set(pairs.map(moduleKey));
  const covered = [...new Set(pairs.map(({ layer }) => layer))];
  const even = covered.every((layer) => names.every((projection) => there.has(moduleKey({ layer, projection }))));
  if (!even) return { target_modules: pairs.map(peftModulePath).sort(), layers_to_transform: null };
  return { target_modules: [...names].sort(), layers_to_transform: covered.length === layers ? null : covered };
}

/** The file's fields. `layers` of the base model say whether all are adapted. */
export function peftConfig(adapter: LoraAdapter, layers: number): Record<string, unknown> {
  const { pairs } = adapter;
  const ranks = patterned(pairs, ({ rank }) => rank);
  const alphas = patterned(pairs, ({ alpha }) => alpha);
  return {
    alpha_pattern: alphas.pattern,
    auto_mapping: null,
    base_model_name_or_path: adapter.baseModel,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    ...targetSettings(pairs, layers),
    loftq_config: {},
    lora_alpha: alphas.most,
    lora_dropout: adapter.dropout,
    megatron_config: null,
    megatron_core: 'megatron.core',
    modules_to_save: null,
    peft_type: 'LORA',
    r: ranks.most,
    rank_pattern: ranks.pattern,
    revision: null,
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: adapter.rslora,
  };
}
