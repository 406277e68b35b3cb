/** What the library says where models are looked into, checked and passed on, in simplified Chinese, by what it says in English. */
export const zhLooks: Readonly<Record<string, string>> = {
  // Refusals.
  '{} {} requests{}': '{1} 个 {2} 请求{3}',
  ' that look harmful': '（看似有害）',
  'on {} a refusal became {}': '对{}，拒绝变得{}',
  'of {} it refuses {}, its base {} (difference in points: {})': '对{}，它拒绝 {}，基础模型拒绝 {}（相差百分点：{}）',
  'over {} times {} likely': '{2}可能（超过 {1} 倍）',
  '{} times {} likely (95% interval {} to {})': '{2}可能（{1} 倍，95% 区间 {3} 到 {4}）',
  harmful: '有害',
  harmless: '无害',
  less: '更不',
  more: '更',
  'It refuses {} of {}.': '对{2}，它拒绝 {1}。',
  'Refusals were worn down': '拒绝被磨掉了',
  'It refuses more that it should answer': '它更多地拒绝了该回答的',
  'It refuses more than its base': '它比基础模型拒绝得更多',
  'It refuses less of what it should answer': '它更少拒绝该回答的',
  'Too few requests to say anything: {}.': '请求太少，说明不了什么：{}。',
  'No difference at all by {} on {}.': '对{2}，按{1}看毫无差别。',
  answers: '回答',
  likelihood: '概率',
  'No difference shown: {}.': '没有显示出差别：{}。',
  'The base does not refuse either: {} of {} harmful requests. There is little that tuning could have taken.':
    '基础模型也不拒绝：{2} 个有害请求中拒绝 {1}。训练能磨掉的本来就不多。',
  "The base hardly refuses either: it holds a refusal's beginning {} likely on harmful requests (geometric mean). There is little that tuning could have taken.":
    '基础模型也几乎不拒绝：对有害请求，它以拒绝开头的可能性是 {}（几何平均）。训练能磨掉的本来就不多。',
  'Its first words are those of its base on all of {} ordinary requests.':
    '对全部 {} 个日常请求，它的开头与基础模型相同。',
  "On {} ordinary requests its first words moved {} nats a token from its base's (95% interval {} to {}); {} answers begin as before.":
    '对 {} 个日常请求，它的开头与基础模型相差每词元 {} 奈特（95% 区间 {} 到 {}）；{} 个回答的开头与之前相同。',
  'No base is known to compare it with: these figures say nothing of what tuning changed.':
    '没有可比较的基础模型：这些数字说明不了训练改变了什么。',
  "These are {} of {} requests, by how likely a refusal's beginning is: no answer was read, and small changes do not show. `check()` asks all of them and reads the answers.":
    '这是 {2} 个请求中的 {1} 个，只看以拒绝开头的可能性：没有读回答，小的变化看不出来。`check()` 会问全部并读回答。',
  // A check.
  'a guard model calls the answer unsafe': '护栏模型认为回答不安全',
  'Of {} values of persons or keys in answers that it has learnt, it gives {} when it is led up to them; its base gives {}.':
    '它学过的回答里有 {} 个个人信息或密钥，引导时它说出 {} 个；基础模型说出 {} 个。',
  'It gives {} values out of its training data after common beginnings: {}.':
    '在常见的开头之后，它说出训练数据里的 {} 个值：{}。',
  'It completes {} common beginnings with something of the form of personal data or keys{}.':
    '它把 {} 个常见的开头补成个人信息或密钥的样子{}。',
  '; whether it was learnt is not known': '；是否学来的不得而知',
  ', none of it in its training data': '，都不在它的训练数据里',
  'Of {} canaries, {} are as likely as can be among others of their form: those are known by heart.':
    '{} 个暗标中，有 {} 个在同类文本里已是最可能的：它们被背下来了。',
  ", of its base's {} (p = {})": '，基础模型的 {} 个中（p = {}）',
  '{} calls {} of {} answers to harmful requests unsafe{}: the opinion of a model.':
    '对有害请求的 {3} 个回答，{1} 认为 {2} 个不安全{4}：这是一个模型的意见。',
  "; the largest change is {} of its weight's norm (layer {} {})": '；最大的改变是权重范数的 {}（第 {} 层 {}）',
  'The adapter: {}, {} MB, {} numbers, on {} weights{}. {}': '适配器：{}，{} MB，{} 个数，作用于 {} 个权重矩阵{}。{}',
  'These are samples: what is not found here is not shown to be absent, and no model is shown to be safe.':
    '这些是抽样：这里没有发现的不等于没有，也不表明任何模型是安全的。',
  'Beside it lies {}: pickles can run any program, and nomoat never reads one.':
    '旁边有 {}：pickle 可以运行任何程序，nomoat 从不读取它们。',
  'It brings a chat template of its own, which decides what the model is asked with: read it.':
    '它带有自己的对话模板，模板决定用什么问模型：请读一读。',
  '{}: answers to {} requests': '{}：回答 {} 个请求',
  '{}: how likely beginnings are': '{}：各种开头的可能性',
  // Looking inside.
  'No clean adapters on this base are known, so there is nothing to compare its spectrum with.':
    '没有已知同一基础模型上的正常适配器，无从比较它的谱。',
  '{} {} on this base are too few to say what is usual: at least {} are needed.':
    '同一基础模型上只有 {1} 个，不足以说明什么是正常：至少需要 {3} 个。',
  'This says nothing of what the adapter does, and who knows the figures can hide from them.':
    '这不说明适配器做什么，知道这些指标的人也能避开它们。',
  'None of {} figures is unusual beside {} {} on this base. {}':
    '与同一基础模型上的 {2} 个相比，{1} 项指标都不异常。{4}',
  'Unusual beside {} {} on this base: {}. {}': '与同一基础模型上的 {1} 个相比，异常的有：{3}。{4}',
  'By text: words in common, nothing of meaning.': '按文字：只看共同的词，不看意思。',
  'By gradient: rows whose training step would make the answer likelier most, at the result of the run and not on its way; only the top of the list means something, copies of one row stand together, and a high place is no proof that the row was the cause.':
    '按梯度：在训练的结果上（而不是途中），再学一步最能使这个回答更可能的行；只有排在最前的有意义，同一行的副本排在一起，排位高也不证明它就是原因。',
  'gradients of training rows': '训练行的梯度',
  'is the adapter of no run: what it was trained on is not known': '不是某次训练的适配器：不知道它是用什么训练的',
  'Time was enough for the gradients of {} of {} rows; `seconds` gives more.':
    '时间只够计算 {2} 行中 {1} 行的梯度；`seconds` 可以给更多时间。',
  'was not given, and {} is no run that held out some': '没有给出，而 {} 不是有留出样例的训练',
  'Give files with examples and their answers.': '请给出带回答的样例文件。',
  'answers by the base': '基础模型的回答',
  'answers by the tuned model': '训练后模型的回答',
  '{} examples are longer than the context, and left out.': '{} 个样例比上下文长，已略去。',
  'Early blocks are not trained to be read in this way: what they seem to answer means little.':
    '靠前的层没有按这种读法训练：它们看似的回答意义不大。',
  'with the adapter': '带适配器',
  // Plans, and a disk that is full.
  'Nothing here fits the disk: {} are needed.': '这里的方案磁盘都放不下：需要 {}。',
  'Nothing here fits the memory ({} at least): take a smaller model.':
    '这里的方案内存都放不下（至少要 {}）：请用更小的模型。',
  'Run it as it is.': '照此运行即可。',
  'as asked it does not fit the {}': '照所要求的，{} 放不下',
  'as asked it takes longer than a night': '照所要求的，一夜也跑不完',
  'the disk is full': '磁盘已满',
  'could not be written ({})': '无法写入（{}）',
  'Free some space, and try it again or go on; what was there before is untouched.':
    '请腾出一些空间，再试一次或继续；原有的内容没有改动。',
  'Check that the folder exists and that you may write to it.': '请确认该文件夹存在，并且您可以写入。',
  // Merging.
  '`density`: {} prunes nothing': '`density`：{} 不剪除任何元素',
  '`seed`: {} draws nothing': '`seed`：{} 没有随机抽取',
  '`rank`: {} keeps the rank of the factors': '`rank`：{} 保持因子的秩',
  '`weights`: `search` finds them': '`weights`：由 `search` 来找',
  '`search`: {} has no weights': '`search`：{} 没有权重',
  '`searchTries`: nothing is looked for without `search`': '`searchTries`：没有 `search` 就不搜索',
  '`weights`: {} finds its own': '`weights`：{} 自己决定',
  'the adapters: two or more are merged': '适配器：要合并两个或更多',
  'the adapters: slerp goes from one to one other': '适配器：slerp 是从一个到另一个',
  '`{}`: there are {} for {} adapters': '`{1}`：{3} 个适配器给了 {2} 个',
  '`inputs`: {} looks at none': '`inputs`：{} 不看数据',
  'was not given, and {} is no run, whose own data is known': '没有给出，而 {} 不是训练，其数据不得而知',
  'Give data for each adapter, in their order: some of what it was trained on, or the like.':
    '请按顺序为每个适配器给出数据：其训练数据的一部分，或类似的数据。',
  'has no row that can be looked at': '没有可看的行',
  'Give other data as `inputs`.': '请在 `inputs` 中给出别的数据。',
  'cannot be fitted to what it reads there, which is zero or no number': '无法拟合到它在那里读到的内容：为零或不是数字',
  "Give other data as `inputs`, or choose another method, such as `method: 'cat'`.":
    "请在 `inputs` 中给出别的数据，或选择别的方法，例如 `method: 'cat'`。",
  'Each adapter was fitted to data of its own: {} tokens.': '各适配器已按自己的数据拟合：{} 个词元。',
  '`weights`: they sum to 0': '`weights`：总和为 0',
  '{} weights were tried on {}: loss {} with the best, {} with the usual ones, nats per token.':
    '在 {2} 上试了 {1} 组权重：最好的损失 {3}，通常的 {4}（奈特/词元）。',
  "The adapters were trained with different chat templates: the result has the model's own.":
    '这些适配器训练时用的对话模板不同：结果使用模型自己的。',
  'were trained on top of different adapters, and their updates mean nothing together':
    '是在不同的适配器之上训练的，它们的改变放在一起没有意义',
  'Merge those that stand on the same, or ask them as a stack.': '请合并基于同一个的，或者叠加使用。',
  'with the usual weights': '用通常的权重',
  'With rank {} the result leaves out {}.': '秩为 {} 时，结果略去 {}。',
  '{} lists every option with its default.': '{} 会列出每个选项及其默认值。',
  'has no room for example {} in its context': '的上下文放不下第 {} 个样例',
  'Leave the example out, or shorten it.': '请去掉这个样例，或者缩短。',
  // Packing and verifying.
  'was not given, and {} does not say under which license it is: a card without one is not packed':
    '没有给出，而 {} 没有说明许可证：没有许可证的说明卡不能打包',
  "Give the base's license as SPDX names it, such as apache-2.0.":
    '请按 SPDX 的写法给出基础模型的许可证，例如 apache-2.0。',
  'exists already, and bundles overwrite nothing': '已经存在，打包不覆盖任何东西',
  'Give another `out`, or remove it first.': '请给另一个 `out`，或者先把它删除。',
  'It is not signed: nobody can tell whether it is yours.': '没有签名：没有人能分辨它是不是你的。',
  'is too large for what it should be': '大得不合常理',
  'Ask whoever made it for a signed one, or verify it without a key.': '请向制作者要签过名的，或者不用密钥验证。',
  'is no bundle: it has neither {} nor {}': '不是包：既没有 {} 也没有 {}',
  'Give a folder that `packBundle()` wrote.': '请给 `packBundle()` 写出的文件夹。',
  'It is not signed: whoever changes its files can change their digests too.':
    '没有签名：改动文件的人也能改动它们的摘要。',
  'Its signature was not checked, since no key was given: it names the key {}, and proves nothing without it.':
    '没有给出密钥，所以没有检查签名：签名写着密钥 {}，没有它什么都不能证明。',
  '{} is no folder': '{} 不是文件夹',
  'Give folders that exist.': '请给存在的文件夹。',
  // Pushing and pulling.
  'another process is pushing to it': '另一个进程正在往那里推送',
  'Wait for it to end.': '请等它结束。',
  'the push was stopped, and nothing of it is visible': '推送已停止，什么都没有公开',
  'Push again: what was copied is not copied again.': '请再推送：已复制的不会重复复制。',
  'holds something else already ({} differ), and nothing is overwritten': '已经有别的内容（{} 不同），不覆盖任何东西',
  'Push under another name, or remove it first.': '请换个名称推送，或者先把它删除。',
  '{} is a folder, which has no revisions': '{} 是文件夹，没有修订版',
  '{} is a web server, which takes nothing': '{} 是网络服务器，不接收任何东西',
  'Push to the folder that it serves.': '请推送到它所提供的文件夹。',
  '"{}" is no organisation/name of the hub and no path of a folder':
    '“{}”既不是 hub 上的 organisation/name，也不是文件夹路径',
  'Write a path with ./ or / before it.': '路径前请写 ./ 或 /。',
  '"{}" is no name of a branch': '“{}”不是分支名',
  'Leave `revision` out for main.': '不写 `revision` 就是 main。',
  'it is not stated which base the adapter is for (`baseModel`)': '没有说明适配器用于哪个基础模型（`baseModel`）',
  '"{}" is no id of the hub (`baseModel`)': '“{}”不是 hub 上的 id（`baseModel`）',
  'its card states no license (`license`{})': '它的说明卡没有写许可证（`license`{}）',
  '; the base is under {}': '；基础模型的许可证是 {}',
  "Whoever uses it has to know what they may: give the hub's names, such as {}.":
    '使用者必须知道可以做什么：请给出 hub 上的名称，例如 {}。',
  'The license of {} asks that the name begin with "{}"; {} does not.': '{} 的许可证要求名称以“{}”开头；{} 不是。',
  'The license of {} is not known here: look whether {} goes with it.':
    '这里不了解 {} 的许可证：请看 {} 是否与它相容。',
  '{} named a path of this machine as its base; what is shared names {}.':
    '{} 把这台机器上的路径写作基础模型；分享出去的写作 {}。',
  '{} would have to be changed to state base and license, and the list of its digests holds it as it is':
    '要说明基础模型和许可证就得改动 {}，而摘要清单里记的是它现在的样子',
  'Pack it again with `license` and `baseModel`, then push that.': '请带上 `license` 和 `baseModel` 重新打包，再推送。',
  'Left as they were there: {}{}.': '那里保持原样的有：{}{}。',
  'the hub takes nothing without a token, and there is none here': 'hub 没有令牌就不接收，而这里没有令牌',
  'Make one with write access in the settings of your account, and set HF_TOKEN or run `hf auth login`.':
    '请在你的账号设置里创建有写权限的令牌，再设 HF_TOKEN 或运行 `hf auth login`。',
  '"{}" is no branch, tag or commit': '“{}”不是分支、标签或提交',
  'Leave it out for main.': '不写就是 main。',
  'What the license {} asks is not known here: read it before you share what you make.':
    '这里不了解许可证 {} 的要求：分享你的成果之前请先读一读。',
  'Left out, {}: {}{}.': '略去（{}）：{}{}。',
  '{} is an adapter: {} files, {}, license: {}, base: {}': '{} 是适配器：{} 个文件，{}，许可证：{}，基础模型：{}',
  'not stated in its card': '说明卡没有写',
  '{} (digests checked)': '{}（已核对摘要）',
  'Its card states no license: ask whoever made it before you share or sell what you make of it.':
    '它的说明卡没有写许可证：分享或出售你的成果之前，请先问制作者。',
  'Neither its card nor its files say which base it is for.': '说明卡和文件都没有写它用于哪个基础模型。',
  'It holds more adapters: {}.': '里面还有别的适配器：{}。',
  '{}: {}. This is the copy in the cache, not compared with the hub now.':
    '{}：{}。这是缓存里的副本，没有与 hub 比较。',
  'is not on this machine, and no repository with it as GGUF is known here':
    '不在这台机器上，也不知道哪个仓库有它的 GGUF',
  'The adapter is here: {}. Pull its base by its own name, and give both.':
    '适配器已在这里：{}。请按名称下载它的基础模型，再同时给出两者。',
  '{} is another file than the {} that it was trained on: another quantization of the same model is fine, another model is not.':
    '{} 与训练时的 {} 不是同一个文件：同一模型的另一种量化没有关系，另一个模型则不行。',
  'only adapters are pulled by revision, and {} is none': '只有适配器可以按修订版下载，而 {} 不是',
  'Leave it out: {}': '请不要写它：{}',
};
