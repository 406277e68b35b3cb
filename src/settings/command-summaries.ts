/** What each command does, in a line, in the order of the help. Pure: the help needs no schema. */
export const summaries = {
  quickstart: 'fine-tune the model that comes with nomoat on data that comes with it, compare before and after, chat',
  tune: 'fine-tune a model on DATA (JSONL, JSON, CSV, or a folder with train and valid files)',
  plan: 'what tuning on DATA would take: time, memory, disk, energy and money, from a probe of this machine',
  pretrain:
    'train a new model from random weights on TEXT (plain text files, documents divided by <|endoftext|>, or the texts of data files)',
  chat: 'chat with a model, or with the result of a run',
  serve: "answer OpenAI's API over the models of this machine and the runs in ./runs, for clients on this machine",
  studio: 'the same server with a page in the browser: from data to a model that one can trust',
  keys: "the API keys of a server's clients: add NAME (the key is printed once), list, remove NAME; or new NAME, a pair of files to sign bundles with",
  preview: 'show DATA as the tokens that would be trained on, supervised ones marked',
  jobs: 'fine-tuning jobs of a server: list them, follow one, or cancel, pause or resume it',
  'import-openai':
    "what files of OpenAI's fine-tuning and evals are here: data sets checked, jobs as commands, results, evals",
  collect:
    'answers that were marked in chats (/good, /bad, /better) as a data set to learn from, with where each row comes from',
  eval: 'how well a model or a run answers test data, and whether it is better than others',
  check: 'whether a model, a run or an adapter still refuses what its base refuses, and what it gives away',
  inspect: 'a look into an adapter or a model: where it comes from, what it changes, whether it is unlike others',
  'inspect data':
    'what data holds that should be known before it is learnt: copies, secrets, personal data, hidden text, outliers',
  export: "write a run's adapter in another format",
  convert: "write an adapter of any kind (PEFT, GGUF LoRA, mlx-lm's) in another format, or merged into its base",
  card: "a run's model card for the Hugging Face hub, with what an evaluation found",
  merge: 'join adapters on one base into one, by any of sixteen methods',
  extract: 'the adapter that comes nearest to what full tuning made of BASE',
  lineage:
    'who begot an adapter or a merged model, as a tree: base, data, recipe, parents, verdict; checked where asked',
  pack: 'an adapter with card, recipe, verdict, lineage, digests, bill of materials and signature, in one folder for others',
  reproduce: 'repeat a run from its record, and say whether its weights come out the same',
  verify: 'whether a bundle is whole, and signed with a key',
  pull: 'fetch a model by its catalogue name, or any GGUF or adapter of the hub or a shared folder by organisation/name or address',
  push: 'share an adapter: one commit on the Hugging Face hub, or a folder with a catalogue; license and base stated',
  index: 'write the catalogue of a folder of adapters, by which it is a hub for `pull`, as it is behind any web server',
  models: 'models on this machine, and those that `pull` knows',
  runs: 'the runs in ./runs',
  doctor: 'what this machine has, and what is wrong',
  schema: 'the settings of a command as JSON Schema, for programs; without COMMAND, of all commands by name',
} as const;
