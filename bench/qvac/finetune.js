/**
 * One LoRA fine-tuning by QVAC's llama.cpp fork on the CPU: r 8, all projections, context 128, batch 1. Run by bare, not by Node (bench/qvac/run.sh).
 * Usage: bare finetune.js MODEL.gguf TEXT.txt OUT_FOLDER
 * Prints one JSON line an optimizer step of 128 tokens, with the milliseconds since training began as the engine reports them.
 */
const Llm = require('@qvac/llm-llamacpp')
const path = require('bare-path')

const [model, text, out] = Bare.argv.slice(2)
const projections = 'attn_q,attn_k,attn_v,attn_o,ffn_gate,ffn_up,ffn_down'

async function main() {
  const llm = new Llm({ files: { model: [path.resolve(model)] }, config: { device: 'cpu', gpu_layers: '0', ctx_size: '512', threads: '2', verbosity: '0' }, opts: { stats: true } })
  await llm.load()
  const begin = Date.now()
  const handle = await llm.finetune({
    trainDatasetDir: path.resolve(text),
    validation: { type: 'none' },
    outputParametersDir: path.resolve(out),
    checkpointSaveDir: path.resolve(out, 'checkpoints'),
    numberOfEpochs: 1,
    contextLength: 128,
    batchSize: 128,
    microBatchSize: 128,
    loraModules: projections,
    loraRank: 8,
    loraAlpha: 16
  })
  handle.on('stats', (stats) => console.log(JSON.stringify({ wallMs: Date.now() - begin, ...stats })))
  const result = await handle.await()
  console.log(JSON.stringify({ wallMs: Date.now() - begin, ...result }))
  await llm.unload()
}

main().catch((error) => {
  console.error(error)
  Bare.exit(1)
})
