import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderCard } from './card.ts';

const adapter = {
  ranks: [8],
  alphas: [16],
  scales: [2],
  rslora: false,
  dropout: 0,
  targetModules: ['q_proj', 'v_proj'],
  baseModel: 'HuggingFaceTB/SmolLM2-135M-Instruct',
} as const;

const frontMatter = (card: string): unknown => parse(/^---\n([\s\S]*?)\n---\n/.exec(card)![1]!);

describe('renderCard', () => {
  it('has front matter that the hub reads, settings, figures and instructions', () => {
    const card = renderCard({
      adapter,
      architecture: 'llama',
      baseLicense: 'apache-2.0',
      dataLicense: 'cc-by-4.0',
      data: ['train.jsonl'],
      settings: { 'learning rate': 0.001, epochs: 1 },
      figures: [{ name: 'validation loss', before: 6.98123456, after: 0.4637 }],
      files: { ggufLora: 'adapter.gguf' },
      version: '0.1.0',
    });
    expect(frontMatter(card)).toEqual({
      base_model: 'HuggingFaceTB/SmolLM2-135M-Instruct',
      base_model_relation: 'adapter',
      library_name: 'peft',
      pipeline_tag: 'text-generation',
      license: 'apache-2.0',
      tags: ['lora', 'peft', 'llama', 'nomoat'],
    });
    expect(card).toContain('Trained on `train.jsonl`, under cc-by-4.0.');
    expect(card).toContain('| learning rate | 0.001 |');
    expect(card).toContain('| rank | 8 |');
    expect(card).toContain('| validation loss | 6.98123 | 0.4637 |');
    expect(card).toContain('--lora adapter.gguf');
    expect(card).toMatch(/made automatically with \[nomoat\].* 0\.1\.0/);
  });

  it('lists the ranks and scales that modules have of their own', () => {
    const card = renderCard({ adapter: { ...adapter, ranks: [4, 8], scales: [1, 2 / 3] }, architecture: 'qwen3' });
    expect(card).toContain('| rank | 4, 8 |');
    expect(card).toContain('| scale | 1, 0.666667 |');
  });

  it('states nothing that it was not told', () => {
    const card = renderCard({ adapter: { ...adapter, baseModel: '' }, architecture: 'qwen3' });
    expect(frontMatter(card)).toEqual({
      library_name: 'peft',
      pipeline_tag: 'text-generation',
      tags: ['lora', 'peft', 'qwen3', 'nomoat'],
    });
    expect(card).toContain('The training data is not stated.');
    expect(card).not.toContain('## Figures');
    expect(card).not.toContain('undefined');
  });

  it('is of a whole model as well: no adapter is spoken of, and one from random weights has no base', () => {
    const tuned = renderCard({
      model: { file: 'model.gguf', baseModel: 'org/base' },
      architecture: 'llama',
      baseLicense: 'apache-2.0',
      settings: { epochs: 2 },
    });
    expect(frontMatter(tuned)).toEqual({
      base_model: 'org/base',
      base_model_relation: 'finetune',
      library_name: 'gguf',
      pipeline_tag: 'text-generation',
      license: 'apache-2.0',
      tags: ['gguf', 'llama', 'nomoat'],
    });
    expect(tuned).toContain('# org/base, every weight tuned');
    expect(tuned).toContain('| method | full fine-tuning |');
    expect(tuned).toContain('llama-cli -m model.gguf');
    expect(tuned).not.toMatch(/adapter|LoRA model|peft/i);
    const made = renderCard({ model: { file: 'model.gguf', baseModel: null }, architecture: 'llama' });
    expect(frontMatter(made)).not.toHaveProperty('base_model');
    expect(made).toContain('# A llama model, trained from random weights');
    expect(made).toContain('| method | pretraining, from random weights |');
    expect(made).not.toMatch(/base model/i);
  });

  it('keeps foreign text out of its structure', () => {
    const baseModel = 'a: b\n---\nlicense: mit\n```';
    const card = renderCard({
      adapter: { ...adapter, baseModel },
      architecture: 'llama',
      baseLicense: 'x\n---\ny: z',
      data: ['a|b`c\nd'],
    });
    expect(frontMatter(card)).toMatchObject({ license: 'x\n---\ny: z', library_name: 'peft' });
    expect(frontMatter(card)).not.toHaveProperty('base_model');
    expect(card.match(/^```/gm)).toHaveLength(8);
    expect(card).toContain("`a\\|b'c d`");
  });
});
