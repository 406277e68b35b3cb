/** What the library's errors say, by their codes, in languages other than its own: what it says itself, with the numbers, stands below. */
import type { ErrorCode } from '../../src/error-codes.ts';
import { type LanguageName, languageNow } from '../words.ts';

const sentences: Readonly<Record<Exclude<LanguageName, 'en'>, Readonly<Record<ErrorCode, string>>>> = {
  'zh-Hans': {
    'invalid-input': '给出的内容不能使用。',
    'invalid-settings': '有的设置不能这样用。',
    'invalid-conversation': '这些消息不成对话，或者模型无法这样回答。',
    'context-full': '问题与回答超出了模型的上下文长度。',
    'data-not-found': '没有给出数据，或者数据不在那里。',
    'unusable-data': '读不懂这份数据：它不是已知的格式。',
    'nothing-to-learn': '数据里没有一行可学的内容。',
    'data-changed': '不能继续：数据与开始时不同了。',
    'model-not-found': '没有这个模型。',
    'model-not-pulled': '这个模型还没有下载到这台机器上。',
    'ambiguous-model': '这个名称对应好几个模型。',
    'unusable-model': '模型文件损坏，或者不支持这种模型。',
    'model-closed': '模型已经关闭。',
    'no-chat-template': '这个模型没有对话模板，不能对话。',
    'no-embeddings': '这个模型不是用来把文本变成向量的。',
    'unusable-chat-template': '对话模板不能使用。',
    'adapter-not-found': '那里没有适配器。',
    'unusable-adapter': '适配器损坏、形式不受支持，或者属于另一个模型。',
    'base-not-found': '基础模型不在原来的位置了。',
    'base-changed': '基础模型与训练时不是同一个文件。',
    'engine-changed': '这次训练是用另一个引擎开始的，其每步的舍入不同。',
    'run-not-found': '没有这次训练。',
    'run-exists': '那里已经有东西了；训练从不覆盖已有的内容。',
    'run-busy': '有一个进程正在使用它。',
    'run-done': '训练已经完成，没有可继续的。',
    'run-unfinished': '训练还没有结果。',
    'no-adapter': '这次训练改动了全部权重，没有适配器。',
    'unreadable-run': '训练的记录或检查点已损坏。',
    'path-exists': '要写的位置已经有东西了。',
    'unusable-export': '这种格式装不下这个适配器、模型或模板。',
    'unusable-key': '密钥不存在、已过期，或者不能用来签名。',
    'no-device': '所要的设备不在，或者不能工作。',
    'too-little-memory': '内存或磁盘不够；什么都没有开始。',
    failed: '出了故障。',
    'engine-missing': '这台机器上载入不了 llama.cpp。',
    'engine-failed': '计算引擎出了故障。',
    'out-of-memory': '训练时内存用尽；最后的检查点是好的。',
    'worker-died': '负责计算的进程突然结束了。',
    'disk-full': '磁盘满了。',
    'write-failed': '文件写不进去。',
    'download-failed': '模型没有下载成功。',
    'upload-failed': '没有推送成功。',
    'unusable-license': '没有说明许可证或基础模型，或者两者不相容。',
    'server-unreachable': '那个地址没有服务器应答。',
    'server-refused': '服务器拒绝了请求。',
    untrusted: '这个结果不可使用。',
    'run-diverged': '训练发散了：没有结果，继续也会再次发散。',
    'bundle-refused': '这个包不是它所说的那样：文件被改动、增加或删除过，或者密钥不对。',
    interrupted: '已停止。',
    'run-interrupted': '训练已停止，留有检查点：可以继续。',
    'run-not-begun': '训练没有开始，什么都没有写。',
  },
};

/** What a code says in the reader's language, server's spelling included; null where the library's own words are theirs, or it is not known. */
export function sentenceOf(code: string): string | null {
  const language = languageNow();
  if (language === 'en') return null;
  const known: Readonly<Record<string, string>> = sentences[language];
  const name = code.replaceAll('_', '-');
  return Object.hasOwn(known, name) ? known[name]! : null;
}
