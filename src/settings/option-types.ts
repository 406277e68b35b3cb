/** The options of `tune` and `pretrain` as programs give them. Written by option-types.test.ts from options.ts: change that. */

/** Every option of `tune`. */
export interface TuneOptionValues {
  /** The base model: a file, or a name that `listModels()` lists. Default: 'nomoat-mini'. */
  readonly model?: string;
  /**
   * Train an adapter, or every weight of a small model; or an adapter on preferences: on pairs of answers (dpo, orpo,
   * simpo) or on answers with a label (kto). Default: 'lora'.
   */
  readonly method?: 'lora' | 'full' | 'dpo' | 'orpo' | 'simpo' | 'kto';
  /**
   * What method lora minimises: the cross-entropy, or DFT, which weights the loss of each token by its own probability;
   * validation is by the cross-entropy. Default: 'cross-entropy'.
   */
  readonly loss?: 'cross-entropy' | 'dft';
  /**
   * NEFTune: uniform noise on the embedded tokens while training, of this over the root of their number times the
   * width, such as 5; 0: none. A number from 0 to 100. Default: 0.
   */
  readonly neftuneAlpha?: number;
  /**
   * What the loss of tokens outside of answers counts in training, such as 0.1; 0: nothing is learnt of them. A number
   * from 0 to 1. Default: 0.
   */
  readonly promptWeight?: number;
  /**
   * Preferences: how much differences of log-probabilities count; in dpo and kto a higher one stays closer to the base.
   * A number from 0.0001 to 100. Default: by the method.
   */
  readonly beta?: number | null;
  /** Loss of dpo; sigmoid-norm and ipo take means over the tokens of an answer. Default: 'sigmoid'. */
  readonly lossType?: 'sigmoid' | 'sigmoid-norm' | 'ipo' | 'robust';
  /** Share of pairs taken to be the wrong way round, for the loss robust. A number from 0 to 0.49. Default: 0.1. */
  readonly labelSmoothing?: number | null;
  /** Margin that simpo wants between two answers. A number from 0 to 100. Default: half of beta. */
  readonly gamma?: number | null;
  /**
   * Weight of the cross-entropy of the chosen answers beside the loss of dpo or simpo. A number from 0 to 100. Default:
   * 0.
   */
  readonly sftShare?: number;
  /** What good answers count, in kto. A number from 0 to 100. Default: 1. */
  readonly desirableWeight?: number;
  /** What bad answers count, in kto. A number from 0 to 100. Default: 1. */
  readonly undesirableWeight?: number;
  /** The folder of the run. Default: runs/<data>-<model>. */
  readonly run?: string | null;
  /** Held-out data: a file, or a fraction of the training data such as 0.1. Default: none. */
  readonly validation?: number | string | null;
  /** Format of the data; auto detects it. Default: 'auto'. */
  readonly format?:
    | 'auto'
    | 'messages'
    | 'prompt-completion'
    | 'text'
    | 'alpaca'
    | 'sharegpt'
    | 'preference'
    | 'openai-preference'
    | 'csv';
  /** CSV column of the prompts. Default: none. */
  readonly promptColumn?: string | null;
  /** CSV column of the completions. Default: none. */
  readonly completionColumn?: string | null;
  /** CSV column of plain texts. Default: none. */
  readonly textColumn?: string | null;
  /** Rows beyond the sequence length: which side is cut, or split or refuse them. Default: 'truncate-left'. */
  readonly tooLong?: 'truncate-left' | 'truncate-right' | 'split' | 'refuse';
  /** Tokens that are learnt: the answers with their end-of-turn token, or all. Default: 'answers'. */
  readonly supervise?: 'answers' | 'all';
  /**
   * Control tokens spelled in the data: text, or control tokens; auto: text inside messages and prompts, control tokens
   * in plain texts and in prompts that hold chat markup. Default: 'auto'.
   */
  readonly specialTokens?: 'auto' | 'text' | 'control';
  /**
   * Chat template to train and chat with instead of the model's own: a file, or chatml, llama2, llama3, mistral, gemma,
   * phi3, zephyr, alpaca, vicuna. Default: none.
   */
  readonly chatTemplate?: string | null;
  /** Passes over the data. A number of passes from 0.01 to 1000. Default: chosen from the data. */
  readonly epochs?: number | null;
  /** Stop after this many steps. A whole number of steps from 1 to 10000000. Default: none. */
  readonly maxSteps?: number | null;
  /** Conversations per optimizer step. A whole number of rows from 1 to 4096. Default: chosen from the data. */
  readonly batchSize?: number | null;
  /** Conversations computed at once. A whole number of rows from 1 to 4096. Default: as many as 512 tokens hold. */
  readonly microBatchSize?: number | null;
  /** Longest row in tokens. A whole number of tokens from 8 to 131072. Default: chosen from the data. */
  readonly sequenceLength?: number | null;
  /** Top of the learning rate schedule. A number from 1e-8 to 1. Default: chosen for the model. */
  readonly learningRate?: number | null;
  /** How the learning rate falls after the warm-up. Default: 'cosine'. */
  readonly schedule?: 'linear' | 'cosine' | 'constant';
  /** Steps over which the learning rate rises. A whole number of steps from 0 to 10000000. Default: 5. */
  readonly warmupSteps?: number;
  /** Rank of the adapter. A whole number from 1 to 256. Default: chosen from the data. */
  readonly rank?: number | null;
  /** The adapter is scaled by alpha / rank. A number from 0.001 to 10000. Default: 16. */
  readonly alpha?: number;
  /** Dropout on the inputs of the adapter. A number from 0 to 0.99. Default: 0. */
  readonly dropout?: number;
  /** Scale by alpha / sqrt(rank) instead. Default: false. */
  readonly rslora?: boolean;
  /** The adapted projections. Default: all. */
  readonly targetModules?: readonly (
    | 'q_proj'
    | 'k_proj'
    | 'v_proj'
    | 'o_proj'
    | 'gate_proj'
    | 'up_proj'
    | 'down_proj'
  )[];
  /** Weight decay of AdamW. A number from 0 to 1. Default: 0. */
  readonly weightDecay?: number;
  /** AdamW's decay of the second moment. A number from 0.5 to 0.99999. Default: 0.999. */
  readonly beta2?: number;
  /** Gradients are clipped to this norm. A number from 0.000001 to 1000000. Default: 1. */
  readonly maxGradientNorm?: number;
  /** Seed of everything random. A whole number from 0 to 2147483647. Default: 0. */
  readonly seed?: number;
  /** Take the rows in random order. Default: true. */
  readonly shuffle?: boolean;
  /** Lay the rows of a micro-batch end to end instead of padding them. Default: true. */
  readonly packing?: boolean;
  /** Compute what all rows begin with, such as a system prompt, once per micro-batch. Default: true. */
  readonly sharePrefix?: boolean;
  /**
   * Start from this adapter (PEFT folder, another run, .gguf, or .safetensors: without its config, `alpha` holds), or
   * from a stack, as a@0.7+b: exactly, or nearest of the `rank` that is given. Default: none.
   */
  readonly initialAdapter?: string | null;
  /**
   * Train a new adapter on top of this one, or of a stack as a@0.7+b, which stay as they are: it is asked with them
   * from then on. Default: none.
   */
  readonly frozenAdapter?: string | null;
  /**
   * Dtype of the frozen base weights and arithmetic with them; auto takes int8 where it is faster and measured to be
   * close. Default: 'auto'.
   */
  readonly precision?: 'auto' | 'f32' | 'int8';
  /**
   * What computes the steps of an adapter: onnxruntime, or kernels of our own (native: Linux x64 with AVX2 or AVX-512
   * VNNI, arm64 with dotprod), which leave to onnxruntime what they lack; auto: native where the base is in int8.
   * Default: 'auto'.
   */
  readonly engine?: 'auto' | 'onnxruntime' | 'native';
  /**
   * Where training computes: the processor, or a graphics card through WebGPU, in float32 (experimental). Default:
   * 'cpu'.
   */
  readonly device?: 'cpu' | 'webgpu';
  /**
   * Memory that training may take, such as 8GB: within it activations are kept, kept as float16, recomputed (gradient
   * checkpointing), or the model is read from the disk (weight offloading). A number of bytes. Default: what is free.
   */
  readonly memory?: number | string | null;
  /**
   * Threads to compute with, no more than the machine runs at once. A whole number of threads from 1 to 1024. Default:
   * physical cores.
   */
  readonly threads?: number | null;
  /** Train in the background: at the lowest priority, behind all other programs. Default: false. */
  readonly nice?: boolean;
  /**
   * Steps between checkpoints. A whole number of steps from 1 to 10000000. Default: a quarter of the run, at most 50.
   */
  readonly checkpointEvery?: number | null;
  /** Steps between validations. A whole number of steps from 1 to 10000000. Default: a quarter of the run. */
  readonly validateEvery?: number | null;
  /**
   * Keep the checkpoints of the last epochs, this many, each an adapter by itself; validations are then at the ends of
   * epochs, unless set otherwise. A whole number of epochs from 0 to 1000. Default: 0.
   */
  readonly keepEpochs?: number;
  /**
   * Stop after this many validations without improvement. A whole number of validations from 1 to 1000. Default: none.
   */
  readonly earlyStop?: number | null;
  /**
   * Refuse data with keys, numbers of accounts or persons, or hidden text in it; else a sample is looked at, and what
   * is found is said. Default: false.
   */
  readonly strictData?: boolean;
  /**
   * Add the base's own answers to ordinary requests, of 64 tokens at most, up to this share of the training rows, such
   * as 10%: against forgetting. A number from 0 to 0.5. Default: 0.
   */
  readonly mixBase?: number;
  /**
   * Add the first five tokens of the base's own answers to ordinary requests, a fifth of the training rows: what the
   * result begins answers with stays near the base. Default: false.
   */
  readonly keepAlignment?: boolean;
  /**
   * What the base is asked for `mixBase` and `keepAlignment`: a text file with a request on each line. Default: 320
   * requests of every day, in English.
   */
  readonly basePrompts?: string | null;
  /**
   * Share of the run's time for answers of the model while it is trained, to a few held-out examples at each validation
   * that there is time at, at most; 0: none. A number from 0 to 0.5. Default: 0.03.
   */
  readonly sampleShare?: number;
  /**
   * Share of the run's time for evaluating held-out examples at its end, at most; 0: no evaluation. A number from 0 to
   * 0.5. Default: 0.1.
   */
  readonly verdictShare?: number;
  /**
   * Share of the run's time for asking its result and its base what they refuse, at its end, at most; 20 seconds are
   * always given, and 25 at most; 0: no safety check. A number from 0 to 0.5. Default: 0.05.
   */
  readonly safetyShare?: number;
  /** Type of the written matrices, for method full. Default: 'F16'. */
  readonly outputType?: 'F16' | 'Q8_0';
}

/** Every option of `pretrain`. */
export interface PretrainOptionValues {
  /** Shape of the model. Default: 'micro'. */
  readonly size?: 'nano' | 'micro' | 'mini' | 'small';
  /** Use this model's tokenizer. Default: train one. */
  readonly tokenizer?: string | null;
  /** Tokens of the trained tokenizer. A whole number of tokens from 259 to 262144. Default: by size. */
  readonly vocabulary?: number | null;
  /** Scale of the random weights. Default: 'gpt2'. */
  readonly init?: 'gpt2' | 'neox';
  /** The folder of the run. Default: runs/<text>-<size>. */
  readonly run?: string | null;
  /** Field or column of a data file that holds the texts. Default: text. */
  readonly textColumn?: string | null;
  /** Held-out text: a file, or a fraction of the documents (of a single text its end). Default: 0.05. */
  readonly validation?: number | string | null;
  /** Passes over the text. A number of passes from 0.01 to 1000. Default: 1. */
  readonly epochs?: number;
  /** Stop after this many steps. A whole number of steps from 1 to 10000000. Default: none. */
  readonly maxSteps?: number | null;
  /** Rows of text per optimizer step. A whole number of rows from 1 to 4096. Default: 32. */
  readonly batchSize?: number;
  /** Conversations computed at once. A whole number of rows from 1 to 4096. Default: as many as 512 tokens hold. */
  readonly microBatchSize?: number | null;
  /** Longest row in tokens. A whole number of tokens from 8 to 131072. Default: 256. */
  readonly sequenceLength?: number;
  /** Top of the learning rate schedule. A number from 1e-8 to 1. Default: 0.001. */
  readonly learningRate?: number;
  /** How the learning rate falls after the warm-up. Default: 'cosine'. */
  readonly schedule?: 'linear' | 'cosine' | 'constant';
  /**
   * Steps over which the learning rate rises. A whole number of steps from 0 to 10000000. Default: 100, or a tenth of
   * all where that is less.
   */
  readonly warmupSteps?: number | null;
  /** Weight decay of AdamW, on matrices only. A number from 0 to 1. Default: 0.1. */
  readonly weightDecay?: number;
  /** AdamW's decay of the second moment. A number from 0.5 to 0.99999. Default: 0.95. */
  readonly beta2?: number;
  /** Gradients are clipped to this norm. A number from 0.000001 to 1000000. Default: 1. */
  readonly maxGradientNorm?: number;
  /** Seed of everything random. A whole number from 0 to 2147483647. Default: 0. */
  readonly seed?: number;
  /** Take the rows in random order. Default: true. */
  readonly shuffle?: boolean;
  /** Lay the rows of a micro-batch end to end instead of padding them. Default: true. */
  readonly packing?: boolean;
  /**
   * Where training computes: the processor, or a graphics card through WebGPU, in float32 (experimental). Default:
   * 'cpu'.
   */
  readonly device?: 'cpu' | 'webgpu';
  /**
   * Threads to compute with, no more than the machine runs at once. A whole number of threads from 1 to 1024. Default:
   * physical cores.
   */
  readonly threads?: number | null;
  /** Train in the background: at the lowest priority, behind all other programs. Default: false. */
  readonly nice?: boolean;
  /**
   * Steps between checkpoints. A whole number of steps from 1 to 10000000. Default: a quarter of the run, at most 50.
   */
  readonly checkpointEvery?: number | null;
  /** Steps between validations. A whole number of steps from 1 to 10000000. Default: a quarter of the run. */
  readonly validateEvery?: number | null;
  /**
   * Stop after this many validations without improvement. A whole number of validations from 1 to 1000. Default: none.
   */
  readonly earlyStop?: number | null;
  /** Type of the written matrices, for method full. Default: 'F16'. */
  readonly outputType?: 'F16' | 'Q8_0';
}
