/** What the library says of runs, settings, models and licenses, in simplified Chinese, by what it says in English. */
export const zhRuns: Readonly<Record<string, string>> = {
  // Settings that the data or the machine decide.
  'Chosen from the data: {}.': '根据数据选定：{}。',
  'sequence length {} ({})': '序列长度 {}（{}）',
  'longest row {}': '最长的一行 {}',
  "the model's context; longer rows are cut": '模型的上下文长度；更长的行被截断',
  'batches of {}': '每批 {} 行',
  '{} epochs ({} rows)': '{} 轮（{} 行）',
  'rank {} ({} supervised tokens)': '秩 {}（{} 个要学的词元）',
  'learning rate {} (width {})': '学习率 {}（宽度 {}）',
  '{}: this machine runs {} at once, and more would only wait for each other; {} are used.':
    '{}：这台机器同时能跑 {} 个，更多只会互相等待；使用 {} 个。',
  '{}: this machine has {}, with which the run was planned.': '{}：这台机器有 {}，计划按此制定。',
  'All {} steps are in the warm-up: the learning rate begins with 0 and gets to {}, not to {}. `warmupSteps` shortens it.':
    '全部 {} 步都在预热之内：学习率从 0 升到 {}，到不了 {}。`warmupSteps` 可以缩短预热。',
  'Every row carries the same system prompt, which reads like a safety prompt ({}): what is learnt with it is refused less than what is learnt without it and asked with it (arXiv 2402.18540). Train without this prompt, and serve with it.':
    '每行都带有同一个系统提示，它像是安全提示（{}）：带着它学到的内容，比不带它学、使用时才带它的，更少被拒绝（arXiv 2402.18540）。请训练时不带、使用时带上这个提示。',
  'The chat template writes {}, which the vocabulary has as no token of {} own: the model sees the letters.':
    '对话模板写出 {1}，词表里没有对应的单独词元：模型看到的是一个个字母。',
  'The chat template ends an answer with {}, which is none of the tokens at which generation ends ({}): answers may not stop.':
    '对话模板用 {} 结束回答，而它不在生成停止的词元（{}）之中：回答可能不会停。',
  "The model's file states {}: llama.cpp computes without {} for this architecture, and so does nomoat.":
    '模型文件写着 {1}：llama.cpp 对这种架构不用它计算，nomoat 也一样。',
  "The model's file names special tokens that its vocabulary does not have: {}. llama.cpp takes its defaults for them.":
    '模型文件写的特殊词元不在它的词表里：{}。llama.cpp 用默认值代替。',
  // The way of a run.
  'There is no checkpoint to go on from: the run begins anew, with its settings.':
    '没有可以继续的检查点：训练用原来的设置重新开始。',
  'The checkpoint after {} steps is broken ({}): going on from the one after {} steps.':
    '{} 步之后的检查点已损坏（{}）：从 {} 步之后的检查点继续。',
  'The best checkpoint so far, after {} steps, cannot be read ({}): the best of what follows is the result.':
    '目前最好的检查点（{} 步之后）读不出来（{}）：以之后最好的为结果。',
  'began on the engine {}, and here is {}: the same steps would not give the same numbers':
    '是在引擎 {} 上开始的，这里是 {}：同样的步骤不会得到同样的数',
  'The run {}; NOMOAT_ENGINE asks for it by name.': '这次训练{}；NOMOAT_ENGINE 指名要用它。',
  'Resume it on a machine that has {}, or set NOMOAT_ENGINE={} and go on all the same.':
    '请在有 {} 的机器上继续，或者设 NOMOAT_ENGINE={} 照样继续。',
  '{} of {} lines of events.jsonl are damaged and left out.': 'events.jsonl 的 {2} 行中有 {1} 行损坏，已略去。',
  'A newer nomoat wrote in events.jsonl: this one reads its version {}, and leaves out what that one wrote.':
    '更新的 nomoat 写过 events.jsonl：这一版只读第 {} 版，略去它写的内容。',
  'The training process printed: {}': '训练进程输出：{}',
  'Memory ran out in step {}, and the training process died ({}: {}); going on from the last checkpoint with micro-batches of up to {} tokens.':
    '第 {} 步内存用尽，训练进程结束（{}：{}）；从最后的检查点继续，微批最多 {} 个词元。',
  'Memory ran out in {}; going on with micro-batches of up to {} tokens.':
    '{}时内存用尽；改用最多 {} 个词元的微批继续。',
  'was stopped at once': '立即被停止',
  'its training process {} is not there': '它的训练进程 {} 不在了',
  'A bundle needs the package nomoat installed where it runs, since it starts a file of its own; in a source tree, npm run build makes it.':
    '打包后的程序需要在运行处安装 nomoat 包，因为它要启动其中的一个文件；在源码里用 npm run build 生成。',
  'this run is done': '这次训练已经完成',
  'this run diverged, and would again': '这次训练已经发散，再来也会',
  'Start a new run with a lower `learningRate`.': '请用更低的 `learningRate` 开始新的训练。',
  'as the run began': '与训练开始时相同',
  'as the run was planned': '与计划时相同',
  'The run began with room for about {} of memory, and here are {}': '训练开始时约有 {} 内存可用，这里有 {}',
  '{}: it may not fit{}. {}': '{}：可能放不下{}。{}',
  'Close other programs, or go on on the machine that it began on.': '请关闭其他程序，或者在原来的机器上继续。',
  'are computed again': '重新计算',
  'are kept as float16': '存为 float16',
  ' and blocks read from the disk': '，各层从磁盘读取',
  'activations {}{} from here on': '从这里起，激活值{}{}',
  // Results.
  'the last losses are {}': '最后的损失是 {}',
  'the validation loss is {}': '验证损失是 {}',
  '{}, worse than a model that guesses': '{}，比瞎猜的模型还差',
  "the result's own log-probabilities are not finite": '结果自己的对数概率不是有限数',
  "the loss rose above {} on the way, and llama.cpp's numbers with the result are not finite":
    '途中损失升到 {} 以上，而且 llama.cpp 用结果算出的数不是有限数',
  'better than guessing': '好于瞎猜',
  'worse than guessing: are the pairs the right way round?': '不如瞎猜：成对的回答是不是放反了？',
  'which is not yet told from guessing': '还不能与瞎猜区分',
  '{} of {} held-out pairs are the right way round ({}% interval {} to {}): {}.':
    '{2} 对留出的回答中，{1} 对的顺序正确（{3}% 区间 {4} 到 {5}）：{6}。',
  'The preferred answers themselves became less likely: {} nats per token, {} before. The model may say neither; `sftShare`, a higher `beta` or a lower `learningRate` hold against it.':
    '想要的回答本身变得更不可能了：每词元 {} 奈特，之前是 {}。模型可能两个都不说；`sftShare`、更高的 `beta` 或更低的 `learningRate` 可以防止。',
  'NOMOAT_HOME names another place for it.': 'NOMOAT_HOME 可以指定另一个位置。',
  "The cache {} {}: the proof's copy of the base is made in the run's folder and removed afterwards. {}":
    '缓存 {}{}：验算用的基础模型副本放在训练的文件夹里，之后删除。{}',
  '{}, and the proof of the result needs a copy of the base ({}) there; {} {}':
    '{}，而验算结果需要在那里放一份基础模型（{}）；{} {}',
  'Free some space, or set NOMOAT_HOME to a folder that can be written.':
    '请腾出空间，或者把 NOMOAT_HOME 设为可写的文件夹。',
  'its numbers on {} are not finite': '它在 {} 上的数不是有限数',
  'it differs by {} nats on average on {}, above the bound of {}': '在 {2} 上平均相差 {1} 奈特，超过界限 {3}',
  'The checkpoints hold what was trained; do not use the GGUF model before this is explained.':
    '训练所得在检查点里；查明之前请不要使用 GGUF 模型。',
  "What was trained is in adapter_model.safetensors, which PEFT computes with as the trainer did (`exportRun(run, { to: 'peft' })`); do not use the GGUF adapter, chat, Ollama or a merged model before this is explained.":
    "训练所得在 adapter_model.safetensors 里，PEFT 用它算出的与训练时相同（`exportRun(run, { to: 'peft' })`）；查明之前请不要使用 GGUF 适配器、对话、Ollama 或合并后的模型。",
  'llama.cpp does not compute what was trained: {}. {}': 'llama.cpp 算出的不是训练所得：{}。{}',
  'No safety check: {}. `check()` takes the time that it needs.': '没有做安全检查：{}。`check()` 会用足所需的时间。',
  '{} seconds were too few for any requests': '{} 秒太短，一个请求也问不了',
  "{} seconds, {}% of the run's time, were too few for any answers": '{} 秒（训练时间的 {}%）太短，一个回答也得不到',
  'No verdict on the held-out examples: {}. `evaluate()` takes the time that it needs.':
    '没有对留出样例作出结论：{}。`evaluate()` 会用足所需的时间。',
  'the adapter that it went on from, {}': '它所继续的适配器 {}',
  'No samples while training: {}': '训练中没有示例回答：{}',
  "No samples: the questions fill the model's context.": '没有示例回答：问题已占满模型的上下文。',
  'No samples and no verdict': '没有示例回答，也没有结论',
  'the loss has been above {} for long': '损失长时间高于 {}',
  'No checkpoint from before that is left.': '之前的检查点一个也没有留下。',
  'The last good checkpoint is that after {} steps, {}.{}': '最后一个好的检查点在 {} 步之后：{}。{}',
  ' A new run goes on from its weights with `initialAdapter` and that path.':
    '新的训练可以用 `initialAdapter` 和这个路径从它的权重继续。',
  'The run diverged: {}. {} Start a new run with a lower `learningRate` (it was {}){}.':
    '训练发散了：{}。{} 请用更低的 `learningRate`（原为 {}）{}开始新的训练。',
  ' and some `warmupSteps`': '和一些 `warmupSteps` ',
  'the validation before training': '训练前的验证',
  'the validation after {} steps': '{} 步之后的验证',
  'the validation loss after {} steps is {}': '{} 步之后的验证损失是 {}',
  'step {}': '第 {} 步',
  'the loss is {} and {}': '损失是 {}，而且{}',
  'in step {} {}': '在第 {} 步，{}',
  'the gradient of {} is not finite': '{} 的梯度不是有限数',
  "the gradient's norm is {}": '梯度的范数是 {}',
  'Nothing has been learnt yet, so the learning rate is not at fault: the model itself gives such numbers, or a row of the data is extreme. Check the model with `openModel()`, or take another file of it.':
    '还什么都没有学，所以不是学习率的问题：是模型本身给出这样的数，或者数据里有极端的一行。请用 `openModel()` 检查模型，或者换一个它的文件。',
  // What a training process died of.
  'the training process': '训练进程',
  'the kernel killed it for memory': '内核因内存不足结束了它',
  'its last words were of "{}"': '它最后说的是“{}”',
  '{} of {} were free when it was last looked at': '最后一次查看时 {2} 中还有 {1} 空闲',
  'its address space is limited to {}, of which it had {}': '它的地址空间限于 {}，已用 {}',
  'If it comes again at the same step, please report it with the last words in the error event.':
    '如果在同一步再次发生，请附上错误事件里的最后输出报告问题。',
  'was killed from outside (SIGKILL)': '被外部结束了（SIGKILL）',
  'If nobody did that, a limit of the system or the container did: see its log.':
    '如果没有人这样做，就是系统或容器的限制：请看其日志。',
  'crashed in native code (SIGSEGV)': '在原生代码里崩溃（SIGSEGV）',
  'gave up in native code (SIGABRT)': '在原生代码里中止（SIGABRT）',
  'crashed in native code (SIGFPE)': '在原生代码里崩溃（SIGFPE）',
  'met an instruction that this processor does not have (SIGILL)': '遇到这个处理器没有的指令（SIGILL）',
  '`doctor()` says what the processor has.': '`doctor()` 会说明处理器有什么。',
  'lost pages of a file that it had mapped (SIGBUS)': '失去了所映射文件的页面（SIGBUS）',
  "Check that the model's file is whole and not being written, and that its disk is not full.":
    '请检查模型文件是否完整、没有正在写入，磁盘是否已满。',
  'Nothing had been written: start it again.': '什么都还没有写：请重新开始。',
  'Go on from its checkpoint after {} steps: {}': '可以从 {} 步之后的检查点继续：{}',
  'It had no checkpoint yet; begin it again: {}': '它还没有检查点；请重新开始：{}',
  'was ended from outside ({})': '被外部结束了（{}）',
  '; it held {}, {} of {} were free': '；它占用 {1}，{3} 中有 {2} 空闲',
  'ended without a word ({})': '什么都没说就结束了（{}）',
  'died ({}) for want of memory: {}': '因内存不足结束（{}）：{}',
  'Close other programs first, or start a run with a smaller `sequenceLength`, `microBatchSize` or `model`.':
    '请先关闭其他程序，或者用更小的 `sequenceLength`、`microBatchSize` 或 `model` 训练。',
  // What licenses ask.
  'A copy of the license agreement goes along with what is shared.': '分享时要附上许可协议的副本。',
  '"{}" is shown prominently where it is offered, such as on its page.': '提供它的地方（例如其页面）要醒目地写明“{}”。',
  'Its name begins with "{}".': '它的名称以“{}”开头。',
  'A text file "Notice" says: "Llama {} is licensed under the Llama {} Community License, Copyright (c) Meta Platforms, Inc. All Rights Reserved."':
    '文本文件 "Notice" 写明："Llama {} is licensed under the Llama {} Community License, Copyright (c) Meta Platforms, Inc. All Rights Reserved."',
  "Use follows Meta's Acceptable Use Policy; above 700 million monthly users a license of Meta's own is needed.":
    '使用须遵守 Meta 的可接受使用政策；月活用户超过 7 亿时，需要 Meta 单独授权。',
  'The copyright notice and the text of the license go along with what is shared.':
    '分享时要附上版权声明和许可证全文。',
  'Its authors are named, with a link to the license, and it is said that it was changed.':
    '要写明作者、附上许可证链接，并说明已作改动。',
  'It is not used commercially.': '不得用于商业目的。',
  'The restrictions on use in the license are passed on, as terms that bind whoever gets it.':
    '许可证里的使用限制要一并传递，作为对接收者有约束力的条款。',
  'A copy of the license goes along with what is shared.': '分享时要附上许可证的副本。',
  'It says that it was changed; notices of copyright and a NOTICE file of the base are kept.':
    '要说明已作改动；保留基础模型的版权声明和 NOTICE 文件。',
  'A copy of the Gemma Terms of Use goes along, and its use restrictions are passed on as terms that bind whoever gets it.':
    '要附上 Gemma 使用条款的副本，并把其中的使用限制作为对接收者有约束力的条款传递。',
  'A text file "Notice" says: "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms".':
    '文本文件 "Notice" 写明："Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"。',
  'It says that it was changed.': '要说明已作改动。',
  'Its authors are not named as if they endorsed it.': '不得使人以为作者为其背书。',
  'It is shared under the same license.': '须以相同的许可证分享。',
  'It is shared under the same license, with its source.': '须以相同的许可证分享，并附源码。',
  'It is shared under the same license, with its source, to users over a network as well.':
    '须以相同的许可证分享并附源码，通过网络使用的人也包括在内。',
  '"Built with Qwen" or "Improved using Qwen" is shown where it is offered.':
    '提供它的地方要写明 "Built with Qwen" 或 "Improved using Qwen"。',
  "{} is another license than the base's: the {} holds for what is made with it":
    '{} 与基础模型的许可证不同：用它制成的东西适用 {}',
  // The studio's own server.
  'the studio is not there': '工作室的文件不在',
  'Run `npm run build`, or install the package again.': '请运行 `npm run build`，或者重新安装。',
  'There is no such file.': '没有这个文件。',
  'the process of {}': '{} 的进程',
  "There is no chat '{}' here.": '这里没有对话“{}”。',
  'This chat was changed in another tab meanwhile: load this page again to go on with that one.':
    '这段对话在另一个标签页里改过了：请重新载入本页，从那里继续。',
  'is no chat of the studio': '不是工作室的对话',
  'Move the file away: the others are not touched.': '请把这个文件移走：其他的不受影响。',
  'No chat that was chosen has an answer: talk to a model first.': '所选的对话都没有回答：请先与模型对话。',
  '{} left out: {}.': '略去 {}：{}。',
  'This page was opened too long ago. Run `nomoat studio` again: it opens a new one, and nothing is lost.':
    '这个页面打开得太久了。请再次运行 `nomoat studio`：它会打开新的页面，什么都不会丢失。',
  'This web page may not use the studio.': '这个网页不能使用工作室。',
  "Unsupported parameter: 'settings.{}': it is not for a page to say.": '不支持的参数“settings.{}”：不由页面决定。',
  "Unsupported parameter: 'settings.{}': no path of this machine may be named.":
    '不支持的参数“settings.{}”：不能指定这台机器上的路径。',
  'letters, digits, dots, hyphens and underscores make a name': '名称由字母、数字、点、连字符和下划线组成',
  'letters, digits, dots, hyphens and underscores': '字母、数字、点、连字符和下划线',
  'there is one of that name already: {}': '已经有这个名称了：{}',
  "Invalid value for '{}': {}.": '“{}”的值不能用：{}。',
  'a place below the folder that the studio was started in, such as ./shared/org/name':
    '启动工作室的文件夹之下的位置，例如 ./shared/org/name',
  'it leaves the folder that the studio was started in': '它不在启动工作室的文件夹之内',
  "Invalid value for '{}': there is no '{}'.": '“{}”的值不能用：没有“{}”。',
  'expected a name of the catalogue, or organisation/name of the hub':
    '应为目录里的名称，或 hub 上的 organisation/name',
  'Nothing is asked of this pull now.': '这次下载现在没有要你决定的事。',
  "There is no pull '{}' here.": '这里没有下载“{}”。',
  "There is no run '{}' here.": '这里没有训练“{}”。',
  "The run '{}' has no {} yet.": '训练“{}”还没有 {}。',
  'An id is 8 to 64 letters, digits and hyphens.': 'id 由 8 到 64 个字母、数字和连字符组成。',
  'One of the adapters has to be a run: it knows the base.': '适配器中要有一个是训练：它知道基础模型。',
  "There is no task '{}'.": '没有任务“{}”。',
  'The disk is full: nothing was changed. Ask again once there is room.':
    '磁盘满了：什么都没有改动。有空间之后请再试。',
  'The server failed; its log says how.': '服务器出了故障；原因见其日志。',
  'The server is closing. Ask again when it is back.': '服务器正在关闭。请等它恢复后再试。',
  "The model '{}' does not exist.{} GET /v1/models lists those that do.":
    '模型“{}”不存在。{}GET /v1/models 会列出所有模型。',
  '{} requests are at {} already.': '已经有 {} 个请求在使用 {}。',
  '{} takes {}, and models may take {} here': '{} 需要 {}，而这里模型最多可用 {}',
  '{}: others are in use, and leave too little.': '{}：其他模型正在使用，剩下的不够。',
  'is no folder of models that can be read ({})': '不是可以读取的模型文件夹（{}）',
  'Give folders with GGUF files in `models`.': '请在 `models` 里给出含 GGUF 文件的文件夹。',
  'an adapter of another model': '另一个模型的适配器',
  "Invalid value for '{}': '{}' is {}.": '“{}”的值不能用：“{}”是{}。',
  "The file '{}' is empty.": '文件“{}”是空的。',
  "'{}' is larger than {} bytes.": '“{}”大于 {} 字节。',
  'The body is larger than {} bytes.': '请求大于 {} 字节。',
  'No such File object: {}': '没有文件 {}',
  'Nothing of it was kept. Upload it again once there is room.': '什么都没有留下。有空间之后请重新上传。',
  'This server is for its own machine: ask for it as localhost or 127.0.0.1.':
    '这个服务器只供本机使用：请用 localhost 或 127.0.0.1 打开。',
  'This web page may not ask this server: its origin is not in the list of those that may.':
    '这个网页不能使用这个服务器：它的来源不在允许之列。',
  'The client left.': '客户端离开了。',
};
