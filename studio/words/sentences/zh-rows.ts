/** What the library says of rows and records, in simplified Chinese, by what it says in English: `{}` is what is filled in, `{2}` the second of it. */
export const zhRows: Readonly<Record<string, string>> = {
  '{} is no whole number from {}': '{1} 不是从 {2} 起的整数',
  'Only the first {} of {} examples were looked at.': '只看了 {2} 个样例中的前 {1} 个。',
  // Chat templates.
  'the conversation': '这段对话',
  'the chat template': '对话模板',
  'cannot be parsed ({})': '无法解析（{}）',
  'has no chat template (tokenizer.chat_template)': '没有对话模板（tokenizer.chat_template）',
  'Use an instruction-tuned model file, train on `text` or prompt/completion records, or give one with `chatTemplate`.':
    '请用经过指令微调的模型文件，或者用 `text`、prompt/completion 形式的记录训练，或者用 `chatTemplate` 给出一个模板。',
  'Check the roles, their order and their contents against what the model was trained on.':
    '请对照模型训练时的形式，检查角色、次序和内容。',
  "Give another template with `chatTemplate`, or one by name, such as `chatTemplate: 'chatml'`.":
    "请用 `chatTemplate` 给出另一个模板，或按名称指定，例如 `chatTemplate: 'chatml'`。",
  "needs {} (line {}), which nomoat's template engine does not have": '需要 {}（第 {} 行），nomoat 的模板引擎没有它',
  'the chat template refuses it: {}': '对话模板拒绝了它：{}',
  'the chat template {}': '对话模板{}',
  'the chat template cannot render it: it {}': '对话模板不能呈现它：{}',
  'the template leaves out part of an answer': '模板漏掉了回答的一部分',
  'the template does not put the answer behind the prompt that asks for it': '模板没有把回答放在提问之后',
  'the prompt closes the thoughts that the answer has': '提示已经结束了思考，而回答里还有思考',
  'answers are learnt whole, though the template drops their thoughts': '模板会去掉思考，但回答仍会完整学习',
  'answers are put behind the prompt that asks for them, since the template renders them in another place':
    '模板把回答放在别处，这里改放在提问之后',
  'answers go on from the thoughts that the prompt opens': '回答接着提示所开始的思考继续',
  'answers have no thoughts: those that the prompt opens are closed at once': '回答没有思考：提示所开始的思考立即结束',
  'a record that is a list': '是一个列表的记录',
  // What a chat model refuses.
  'has {}{} tokens, and the context holds {} with the answer': '有 {}{} 个词元，而上下文连同回答只容 {} 个',
  'Shorten it, or begin a new one{}.': '请缩短，或者开始新的对话{}。',
  '; a larger `contextSize` goes up to {}': '；`contextSize` 最多可以设到 {}',
  'has a message that is no object': '有一条消息不是对象',
  'has a message of the unknown role {}': '有一条消息的角色 {} 未知',
  'has a content that is no text': '有的内容不是文字',
  'is no list with at least one message': '不是至少有一条消息的列表',
  'is no list of tokens': '不是词元的列表',
  "has the token {}; the model's ids are 0 to {}": '有词元 {}；模型的编号是 0 到 {}',
  'Give a text, or tokens of this model.': '请给文字，或者这个模型的词元。',
  'has no chat template, so it continues single prompts and holds no conversation':
    '没有对话模板，所以只能续写单个提示，不能对话',
  'Give one prompt without a system prompt (/reset before the next), or use an instruction-tuned model.':
    '请只给一个提示、不要系统提示，或者用经过指令微调的模型。',
  'Ask for it again.': '请再要一次。',
  'the model': '模型',
  'is closed': '已关闭',
  'Open it again.': '请重新打开。',
  // What a template leaves out.
  'the template leaves out arguments of a call': '模板漏掉了调用的参数',
  'the template has no place for tools': '模板没有放工具的位置',
  'the template has no place for the {} of a {} message': '模板里没有位置放 {2} 消息的 {1}',
  'the template leaves out ids or types of calls': '模板漏掉了调用的 id 或类型',
  'the template has no place for tool_calls': '模板没有放 tool_calls 的位置',
  'the template has no place for the reasoning_content of a {} message': '模板里没有位置放 {} 消息的 reasoning_content',
  'the template has no place for reasoning_content': '模板没有放 reasoning_content 的位置',
  'thoughts of earlier answers are left out by the template, as in use': '模板会去掉之前回答里的思考，与使用时相同',
  'white space at the boundaries of answers is cut off by the template': '模板会去掉回答首尾的空白',
  'the template changes earlier answers, as in use': '模板会改写之前的回答，与使用时相同',
  'the template changes the text of a {} message': '模板改写了 {} 消息的文字',
  'the template leaves out the text of a {} message': '模板漏掉了 {} 消息的文字',
  'the template leaves out parts of the description of tools': '模板漏掉了工具说明的一部分',
  // Messages.
  'a part of a content': '内容的一个部分',
  'the result of a call': '一次调用的结果',
  'a content has a part that is no text': '内容里有不是文字的部分',
  "a message's content": '一条消息的内容',
  'the mark "{}" of a message is neither true nor false': '消息的标记“{}”既不是 true 也不是 false',
  'the marks of a message contradict each other': '一条消息的标记互相矛盾',
  'the mark "{}" of a {} message is not obeyed: only answers are learnt': '{2} 消息的标记“{1}”不起作用：只学习回答',
  'answers marked {} are kept out of the loss': '标记为 {} 的回答不计入损失',
  'a message has no role': '有一条消息没有角色',
  'a message is of an unknown role': '有一条消息的角色未知',
  'the key "{}" of messages is not read': '消息的键“{}”不被读取',
  'the key "{}" of messages is not read where it is no text': '消息的键“{}”不是文字时不被读取',
  'a message is no object': '有一条消息不是对象',
  'a message has both a content and a value': '一条消息同时有 content 和 value',
  'a message has calls in its content and beside it': '一条消息在内容里和内容外都有调用',
  'a message has no content': '有一条消息没有内容',
  'an answer is empty': '有一个回答是空的',
  'the conversation is no list of messages': '对话不是消息的列表',
  'the conversation is empty': '对话是空的',
  'tools is no valid JSON': 'tools 不是有效的 JSON',
  'tools is no list': 'tools 不是列表',
  'a record has both tools and functions': '一条记录同时有 tools 和 functions',
  // Pairs.
  'both answers are equal': '两个回答相同',
  'in white space only': '只有空白不同',
  'the prompts of both answers differ': '两个回答的提问不同',
  'both sides have no common beginning, and there is no prompt': '两边没有共同的开头，也没有提问',
  'there is no prompt, and both sides begin with answers': '没有提问，两边都以回答开头',
  'the input is no object with messages': 'input 不是带有 messages 的对象',
  '{} ends with no answer': '{} 不以回答结尾',
  '{}: the template makes several rows of its conversation': '{}：模板会把它的对话变成好几行',
  '{}: has no supervised token': '{}：没有可学的词元',
  'the chosen answer': '想要的回答',
  'the rejected answer': '不想要的回答',
  'the prompts of both answers differ as tokens': '两个回答的提问切成词元后不同',
  'both answers are equal as tokens': '两个回答切成词元后相同',
  'an answer has no supervised token left within the sequence length': '在序列长度之内，回答没有剩下可学的词元',
  'both answers are equal within the sequence length': '在序列长度之内，两个回答相同',
  // Prompts and completions.
  'answers are the word "{}" alone, as Python writes an empty cell; they are learnt as they are':
    '有的回答只有“{}”一词，Python 会这样写空单元格；它们照原样学习',
  '{} is a list without messages': '{} 是没有消息的列表',
  'the completion is empty': '回答是空的',
  'tools beside a prompt that is plain text are not learnt': '提问是纯文本时，旁边的工具不会学习',
  'texts hold {}, the chat markup of another model; it is learnt as text':
    '文本里有 {}，是另一个模型的对话标记；按普通文字学习',
  'answers end in {}, the end of a turn of another model; it is learnt as text':
    '回答以 {} 结尾，是另一个模型的轮次结束标记；按普通文字学习',
  'texts of tool messages begin with {}, which the template puts around them once more':
    '工具消息的文字以 {} 开头，而模板会再加一次',
  // What would help with records.
  'Only texts can be learnt: leave out images, sounds and files, or the records that need them.':
    '只能学习文字：请去掉图像、声音和文件，或者去掉需要它们的记录。',
  'Give it a content: "" where a user says nothing. An assistant\'s message without an answer is left out.':
    '请给它内容：用户什么都没说时写 ""。没有回答的助手消息会被略过。',
  'Leave the message out, or keep it out of the loss with "weight": 0.':
    '请去掉这条消息，或者用 "weight": 0 让它不计入损失。',
  'Leave out records without anything to learn.': '请去掉没有可学内容的记录。',
  'Write the column with json.dumps before to_csv, or save as JSON Lines: to_json(FILE, orient="records", lines=True).':
    '请在 to_csv 之前用 json.dumps 写这一列，或者存为 JSON Lines：to_json(FILE, orient="records", lines=True)。',
  'Write the column as JSON: json.dumps, JSON.stringify.': '请把这一列写成 JSON：json.dumps、JSON.stringify。',
  'A conversation is a list of messages with role and content: {}.': '一段对话是带 role 和 content 的消息列表：{}。',
  'Roles are {}, and what other data sets call them (human, gpt, ...).':
    '角色有 {}，以及其他数据集的叫法（human、gpt 等）。',
  'Give a number from 0 to 100, or leave the weight out: 1 is usual, and 0 keeps an answer out of the loss.':
    '请给 0 到 100 的数，或者不写权重：通常是 1，0 让回答不计入损失。',
  'Give true or false, or leave the mark out.': '请写 true 或 false，或者不写这个标记。',
  'A text was cut inside a character: cut it in whole ones. In Python: text.encode("utf-8", "replace").decode().':
    '文本在一个字符中间被截断：请按完整字符截断。Python 中：text.encode("utf-8", "replace").decode()。',
  'Write arguments as an object, or as the JSON text of one (json.dumps).':
    '请把参数写成对象，或写成对象的 JSON 文本（json.dumps）。',
  'A call is written {"type": "function", "function": {"name": "...", "arguments": {...}}}, in a list under tool_calls.':
    '调用写作 {"type": "function", "function": {"name": "...", "arguments": {...}}}，放在 tool_calls 下的列表里。',
  'tools is a list of {"type": "function", "function": {"name": "...", "parameters": {...}}}.':
    'tools 是由 {"type": "function", "function": {"name": "...", "parameters": {...}}} 组成的列表。',
  'Keep one of them.': '请只保留其中一个。',
  'Write it as a text: lists and objects as their JSON text (json.dumps).':
    '请写成文字：列表和对象写成它们的 JSON 文本（json.dumps）。',
  'the conversation {}': '对话 {}',
  'history is no list': 'history 不是列表',
  'history is no list of pairs': 'history 不是成对的列表',
  'the output is empty': '输出是空的',
  'the text is empty': '文本是空的',
  'none: it is a list': '没有：它是一个列表',
  'none: it is a {}': '没有：它是 {}',
  'is no JSON object': '不是 JSON 对象',
  '{} holds half a character (a lone surrogate)': '{} 里有半个字符（单独的代理项）',
  'numbers and truth values in the place of texts are taken as they are spelled':
    '文字的位置上是数字或真假值时，按其写法当作文字',
  // Thoughts and calls.
  'a message has two different thoughts': '一条消息有两段不同的思考',
  'a part of the content': '内容的一部分',
  'answers open thoughts and do not close them': '有的回答开始了思考而没有结束',
  'thoughts that stand in the answer too are learnt once': '回答里也有的思考只学习一次',
  'the arguments of a call': '调用的参数',
  'the arguments of a call are no valid JSON': '调用的参数不是有效的 JSON',
  'arguments of calls that are no JSON object are learnt as they are': '不是 JSON 对象的调用参数照原样学习',
  'a call has a function that is no object': '有一个调用的 function 不是对象',
  'a call has no name': '有一个调用没有名称',
  'the name of a call': '调用的名称',
  'a function call': '一个函数调用',
  'a function call is no JSON with a name': '有一个函数调用不是带名称的 JSON',
  'tool_calls is no list of calls': 'tool_calls 不是调用的列表',
  'a message has both function_call and tool_calls': '一条消息同时有 function_call 和 tool_calls',
  'function_call is no object with a name': 'function_call 不是带名称的对象',
  // Conversations as rows.
  'messages behind the last answer that is learnt are not used': '最后一个要学的回答之后的消息不使用',
  'the template lets answers overlap': '模板使回答互相重叠',
  '{}, which the template knows': '{}，模板认得它',
  'the role {} is rendered as {}': '角色 {} 按 {} 呈现',
  'a weight is not from 0 to {}': '有一个权重不在 0 到 {} 之间',
  'has the weight 0: nothing of it is learnt': '权重为 0：不学习其中任何内容',
  '"{}" beside the data is what the record\'s loss counts': '数据旁边的“{}”是这条记录的损失所占的分量',
  // Rows as tokens.
  "the prompt holds the chat template's markup and does not end in what asks for an answer ({})":
    '提问里有对话模板的标记，却不以请求回答的部分（{}）结尾',
  "prompts that hold the chat template's markup already are taken as they are": '已带有对话模板标记的提问照原样使用',
  'what asks for an answer stands at the beginning of completions: it is given, not learnt':
    '请求回答的部分在回答开头：它是给定的，不学习',
  "the completion holds a whole chat in the template's markup": '回答里是一整段带模板标记的对话',
  'an answer is nothing but an end-of-turn token': '有一个回答只有一个轮次结束词元',
  'a key of a call or a tool spells a control token': '调用或工具的某个键写着控制词元',
  'has no answer to learn (no assistant message, or all of weight 0)': '没有可学的回答（没有助手消息，或者权重都是 0）',
  'an answer spells an end-of-turn token inside its text': '有一个回答的文字中间写着轮次结束词元',
  'answers that end in the end-of-turn token are taken without it: the template adds it':
    '以轮次结束词元结尾的回答会去掉它：模板会加上',
  "the template writes no end behind the last answer: the model's own end token is learnt there":
    '模板没有在最后的回答后面写结束：在那里学习模型自己的结束词元',
  'answers begin their row: the first token is given, not learnt, since nothing stands before it':
    '有的行以回答开头：第一个词元前面什么都没有，所以是给定的，不学习',
  'answers are tokenised apart from their prompt, as chat does, since a token would reach across the boundary':
    '回答与提问分开切词元，与对话时相同，否则会有词元跨过边界',
  'control tokens spelled in texts are taken as {}': '文本里写着的控制词元当作{}',
  "control tokens; `specialTokens: 'text'` makes them text": "控制词元；`specialTokens: 'text'` 会把它们当作文字",
  'the template ends a turn inside the answer, where generation would stop: what follows could not be learnt':
    '模板在回答中间结束轮次，生成会在那里停下：之后的内容无法学习',
  'for other reasons': '其他原因',
  'further remarks of their own': '其他各自的说明',
  'has no supervised token': '没有可学的词元',
  'is longer than the sequence length of {} tokens': '比序列长度（{} 个词元）长',
  'has no supervised token left within the sequence length': '在序列长度之内没有剩下可学的词元',
  'Give a whole number from {}.': '请给一个不小于 {} 的整数。',
  "control tokens spelled in the data are taken as control tokens; `specialTokens: 'text'` makes them text":
    "数据里写着的控制词元当作控制词元；`specialTokens: 'text'` 会把它们当作文字",
  "control tokens spelled in the data are taken as text; `specialTokens: 'control'` makes them control tokens":
    "数据里写着的控制词元当作文字；`specialTokens: 'control'` 会把它们当作控制词元",
  // What would help with rows.
  'Tried on {}, this helps: {}.': '在{}上试过，这样有用：{}。',
  'the first {} {}s': '前 {} 个 {}',
  'end the prompts in what asks for an answer, as the reason shows it': '让提问以请求回答的部分结尾，如原因中所示',
  'learn the completions as texts: `textColumn` and the name of their column':
    '把回答当作文本学习：`textColumn` 和那一列的名称',
  'put the system prompt at the beginning of the first question': '把系统提示放到第一个问题的开头',
  'join neighbouring messages of one role': '把同一角色的相邻消息合并',
  'put the system prompt at the beginning of the first question and join neighbouring messages of one role':
    '把系统提示放到第一个问题的开头，并把同一角色的相邻消息合并',
  'write thoughts into the content of the answer, as <think>...</think>':
    '把思考写进回答的内容里，写作 <think>...</think>',
  'leave the thoughts out (reasoning_content and its like, and <think>...</think> in answers)':
    '去掉思考（reasoning_content 之类，以及回答里的 <think>...</think>）',
  'leave the tools out': '去掉工具',
  'begin the conversation with a message of the user': '让对话以用户的消息开头',
  "`supervise: 'all'`, which learns every token (otherwise rows are learnt by their answers: a completion, or a message of the role assistant)":
    "`supervise: 'all'`，学习每个词元（否则只学习回答：completion，或角色为 assistant 的消息）",
  'Rows are learnt by their answers: a completion, or a message of the role assistant. No change that nomoat knows (another chat template, other places for system prompts, thoughts and tools) makes rows of these.':
    '每行学习的是它的回答：completion，或角色为 assistant 的消息。nomoat 所知的改动（换对话模板，换系统提示、思考和工具的位置）都不能把这些变成可学的行。',
  'the end-of-turn token is never supervised, so the model would never learn to stop':
    '轮次结束词元从不被学习，模型就学不会停下',
  'The chat template does not end an answer with a token that stops generation of this model.':
    '对话模板没有用能让这个模型停止生成的词元来结束回答。',
  'the training data': '训练数据',
  'no row has a supervised token ({} refused, mostly: {})': '没有一行有可学的词元（拒绝了 {} 行，主要因为：{}）',
  'Give a longer `sequenceLength`; `preview()` shows the rows.':
    '请给更长的 `sequenceLength`；`preview()` 会显示各行。',
  '{} `preview()` shows the rows.': '{}`preview()` 会显示各行。',
  "Raise `sequenceLength`, or keep the ends of answers with `tooLong: 'truncate-left'`; see `preview()`.":
    "请增大 `sequenceLength`，或者用 `tooLong: 'truncate-left'` 保留回答的结尾；见 `preview()`。",
  'Look at `preview()`.': '请看 `preview()`。',
};
