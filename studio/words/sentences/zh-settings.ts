/** Settings of a run in simplified Chinese: their names as the page spells them in English, and what each does. */
export const zhSettings: Readonly<Record<string, string>> = {
  Method: '方法',
  'train an adapter, or every weight of a small model; or an adapter on preferences: on pairs of answers (dpo, orpo, simpo) or on answers with a label (kto)':
    '训练适配器，或小模型的全部权重；或用偏好训练适配器：成对的回答（dpo、orpo、simpo），或带标签的回答（kto）',
  Loss: '损失',
  'what method lora minimises: the cross-entropy, or DFT, which weights the loss of each token by its own probability; validation is by the cross-entropy':
    '方法 lora 最小化什么：交叉熵，或者 DFT，它用每个词元自己的概率给损失加权；验证总用交叉熵',
  'Neftune alpha': 'NEFTune 强度',
  'NEFTune: uniform noise on the embedded tokens while training, of this over the root of their number times the width, such as 5; 0: none':
    'NEFTune：训练时给词元嵌入加均匀噪声，大小为此数除以（词元数乘宽度）的平方根，例如 5；0：不加',
  'Prompt weight': '提问的权重',
  'what the loss of tokens outside of answers counts in training, such as 0.1; 0: nothing is learnt of them':
    '训练时回答以外词元的损失占多少，例如 0.1；0：不学习它们',
  Beta: 'beta',
  'preferences: how much differences of log-probabilities count; in dpo and kto a higher one stays closer to the base; default: by the method':
    '偏好：对数概率之差占多少；在 dpo 和 kto 中，越高越接近基础模型；默认：依方法而定',
  'Loss type': '损失的种类',
  'loss of dpo; sigmoid-norm and ipo take means over the tokens of an answer':
    'dpo 的损失；sigmoid-norm 和 ipo 对回答的词元取平均',
  'Label smoothing': '标签平滑',
  'share of pairs taken to be the wrong way round, for the loss robust; default: 0.1':
    '假定放反了的成对回答的比例，用于损失 robust；默认：0.1',
  Gamma: 'gamma',
  'margin that simpo wants between two answers; default: half of beta':
    'simpo 要求两个回答之间的间隔；默认：beta 的一半',
  'Sft share': '想要的回答的权重',
  'weight of the cross-entropy of the chosen answers beside the loss of dpo or simpo':
    '在 dpo 或 simpo 的损失之外，想要的回答的交叉熵的权重',
  'Desirable weight': '好回答的权重',
  'what good answers count, in kto': '在 kto 中，好的回答占多少',
  'Undesirable weight': '坏回答的权重',
  'what bad answers count, in kto': '在 kto 中，不好的回答占多少',
  'Too long': '太长的行',
  'rows beyond the sequence length: which side is cut, or split or refuse them':
    '超过序列长度的行：截去哪一边，或者拆分、拒绝',
  Supervise: '学习什么',
  'tokens that are learnt: the answers with their end-of-turn token, or all':
    '学习哪些词元：回答及其轮次结束词元，或者全部',
  'Special tokens': '控制词元',
  'control tokens spelled in the data: text, or control tokens; auto: text inside messages and prompts, control tokens in plain texts and in prompts that hold chat markup':
    '数据里写着的控制词元：当作文字，或控制词元；auto：消息和提问里当作文字，纯文本和带对话标记的提问里当作控制词元',
  'Chat template': '对话模板',
  "chat template to train and chat with instead of the model's own: a file, or chatml, llama2, llama3, mistral, gemma, phi3, zephyr, alpaca, vicuna":
    '训练和对话时代替模型自带的对话模板：chatml、llama2、llama3、mistral、gemma、phi3、zephyr、alpaca 或 vicuna',
  'Max steps': '最多步数',
  'stop after this many steps': '到这么多步就停止',
  'Micro batch size': '微批大小',
  'conversations computed at once; default: as many as 512 tokens hold': '一次计算多少段对话；默认：512 个词元能容下的',
  Schedule: '学习率变化',
  'how the learning rate falls after the warm-up': '预热之后学习率如何下降',
  'Warmup steps': '预热步数',
  'steps over which the learning rate rises': '学习率上升的步数',
  Alpha: 'alpha',
  'the adapter is scaled by alpha / rank': '适配器按 alpha / 秩 缩放',
  Dropout: 'dropout',
  'dropout on the inputs of the adapter': '适配器输入上的 dropout',
  Rslora: 'rsLoRA',
  'scale by alpha / sqrt(rank) instead': '改为按 alpha / √秩 缩放',
  'Weight decay': '权重衰减',
  'weight decay of AdamW': 'AdamW 的权重衰减',
  Beta2: 'beta2',
  "AdamW's decay of the second moment": 'AdamW 二阶矩的衰减',
  'Max gradient norm': '梯度范数上限',
  'gradients are clipped to this norm': '梯度按此范数裁剪',
  Seed: '种子',
  'seed of everything random': '一切随机的种子',
  Shuffle: '打乱',
  'take the rows in random order': '按随机次序取行',
  Packing: '首尾相接',
  'lay the rows of a micro-batch end to end instead of padding them': '把微批的各行首尾相接，而不是补齐',
  'Share prefix': '共用开头',
  'compute what all rows begin with, such as a system prompt, once per micro-batch':
    '所有行共同的开头（例如系统提示）每个微批只计算一次',
  Precision: '精度',
  'dtype of the frozen base weights and arithmetic with them; auto takes int8 where it is faster and measured to be close':
    '不变的基础权重的类型及其运算；auto 在 int8 更快且实测足够接近时用 int8',
  Engine: '引擎',
  'what computes the steps of an adapter: onnxruntime, or kernels of our own (native: Linux x64 with AVX2 or AVX-512 VNNI, arm64 with dotprod), which leave to onnxruntime what they lack; auto: native where the base is in int8':
    '由什么计算适配器的每一步：onnxruntime，或我们自己的内核（native：带 AVX2 或 AVX-512 VNNI 的 Linux x64、带 dotprod 的 arm64，缺的仍由 onnxruntime 计算）；auto：基础模型为 int8 时用它们',
  Device: '设备',
  'where training computes: the processor, or a graphics card through WebGPU, in float32 (experimental)':
    '在哪里计算：处理器，或通过 WebGPU 用显卡，float32（试验性）',
  Memory: '内存',
  'memory that training may take, such as 8GB: within it activations are kept, kept as float16, recomputed (gradient checkpointing), or the model is read from the disk (weight offloading); default: what is free':
    '训练可用的内存，例如 8GB：据此保留激活值、存为 float16、重新计算（梯度检查点），或从磁盘读取模型（权重卸载）；默认：空闲的全部',
  'Checkpoint every': '检查点间隔',
  'steps between checkpoints; default: a quarter of the run, at most 50':
    '两个检查点之间的步数；默认：全程的四分之一，最多 50',
  'Validate every': '验证间隔',
  'steps between validations; default: a quarter of the run': '两次验证之间的步数；默认：全程的四分之一',
  'Keep epochs': '保留的轮数',
  'keep the checkpoints of the last epochs, this many, each an adapter by itself; validations are then at the ends of epochs, unless set otherwise':
    '保留最后这么多轮的检查点，每个都是独立的适配器；此时验证在每轮末尾，除非另有设置',
  'Early stop': '提前停止',
  'stop after this many validations without improvement': '连续这么多次验证没有改善就停止',
  'Mix base': '掺入基础模型的回答',
  "add the base's own answers to ordinary requests, of 64 tokens at most, up to this share of the training rows, such as 10%: against forgetting":
    '加入基础模型自己对日常请求的回答，每个最多 64 个词元，最多占训练行的这个比例，例如 10%：防止遗忘',
  'Keep alignment': '保持对齐',
  "add the first five tokens of the base's own answers to ordinary requests, a fifth of the training rows: what the result begins answers with stays near the base":
    '加入基础模型对日常请求的回答的前五个词元，占训练行的五分之一：结果的回答开头因此接近基础模型',
  'Sample share': '示例回答的时间',
  "share of the run's time for answers of the model while it is trained, to a few held-out examples at each validation that there is time at, at most; 0: none":
    '训练途中，有时间的每次验证时回答几个留出样例，最多占训练时间的这个比例；0：没有',
  'Verdict share': '作结论的时间',
  "share of the run's time for evaluating held-out examples at its end, at most; 0: no evaluation":
    '结束时评测留出样例，最多占训练时间的这个比例；0：不评测',
  'Safety share': '安全检查的时间',
  "share of the run's time for asking its result and its base what they refuse, at its end, at most; 20 seconds are always given, and 25 at most; 0: no safety check":
    '结束时问结果和基础模型拒绝什么，最多占训练时间的这个比例；总有 20 秒，最多 25 秒；0：不做安全检查',
  'Output type': '写出的类型',
  'type of the written matrices, for method full': '方法 full 写出的矩阵的类型',
};
