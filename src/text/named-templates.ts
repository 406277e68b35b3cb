/**
 * Chat templates by name, for models whose own is missing or cannot be used. Promises: each renders as the template that its family's
 * models were trained with does, for conversations of texts; calls and tools have no place in them. Pure.
 */

/** Turns of `role`, newline and text between two control tokens. https://github.com/openai/openai-python/blob/release-v0.28.1/chatml.md */
const chatml = `{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

/** https://www.llama.com/docs/model-cards-and-prompt-formats/meta-llama-3/ */
const llama3 = `{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] | trim + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}`;

/** A system prompt that goes into the first question, where the family has no turn for it. */
const systemFirst = `{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% set turns = messages[1:] %}{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}`;
const alternate = `{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('user and assistant must take turns') }}{% endif %}`;

/** https://huggingface.co/blog/llama2#how-to-prompt-llama-2 */
const llama2 = `${systemFirst}{% for m in turns %}${alternate}{% if m['role'] == 'user' %}{{ bos_token + '[INST] ' + ('<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' if loop.first and system else '') + m['content'] + ' [/INST]' }}{% else %}{{ ' ' + m['content'] + ' ' + eos_token }}{% endif %}{% endfor %}`;

/** https://docs.mistral.ai/cookbooks/concept-deep-dive-tokenization-chat_templates */
const mistral = `${systemFirst}{{ bos_token }}{% for m in turns %}${alternate}{% if m['role'] == 'user' %}{{ '[INST] ' + (system + '\\n\\n' if loop.first and system else '') + m['content'] + ' [/INST]' }}{% else %}{{ ' ' + m['content'] + eos_token }}{% endif %}{% endfor %}`;

/** https://ai.google.dev/gemma/docs/core/prompt-structure */
const gemma = `${systemFirst}{{ bos_token }}{% for m in turns %}${alternate}{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else m['role']) + '\\n' + (system + '\\n\\n' if loop.first and system else '') + m['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}`;

/** https://huggingface.co/microsoft/Phi-3-mini-4k-instruct#chat-format */
const phi3 = `{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + '<|end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}`;

/** https://huggingface.co/HuggingFaceH4/zephyr-7b-beta */
const zephyr = `{% for m in messages %}{{ '<|' + m['role'] + '|>\\n' + m['content'] + eos_token + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}`;

/** https://github.com/tatsu-lab/stanford_alpaca#data-release */
const alpaca = `{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] + '\\n\\n' }}{% elif m['role'] == 'user' %}{{ '### Instruction:\\n' + m['content'] + '\\n\\n### Response:\\n' }}{% else %}{{ m['content'] + eos_token + '\\n\\n' }}{% endif %}{% endfor %}`;

/** https://github.com/lm-sys/FastChat/blob/main/docs/vicuna_weights_version.md */
const vicuna = `{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] + '\\n\\n' }}{% elif m['role'] == 'user' %}{{ 'USER: ' + m['content'] + '\\n' }}{% else %}{{ 'ASSISTANT: ' + m['content'] + eos_token + '\\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}`;

export const namedTemplates = { chatml, llama2, llama3, mistral, gemma, phi3, zephyr, alpaca, vicuna } as const;
export type TemplateName = keyof typeof namedTemplates;
export const templateNames = Object.keys(namedTemplates) as readonly TemplateName[];

/** The template of a name, or null. */
export const templateOfName = (name: string): string | null =>
  Object.hasOwn(namedTemplates, name) ? namedTemplates[name as TemplateName] : null;
