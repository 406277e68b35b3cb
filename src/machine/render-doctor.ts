/** What the doctor found as plain lines of text. Knows no terminal. */
import { type DoctorEngine, type DoctorReport, gigabytes } from './doctor.ts';

/** The report as plain text, one fact a line, the findings last. */
export function renderDoctor(report: DoctorReport): string {
  const { machine, folders, versions, webgpu, onnxruntime, llamaCpp, models, findings } = report;
  const limit = machine.processorLimit === null ? '' : `, limited to ${machine.processorLimit} processors`;
  const rows: [string, string][] = [
    ['machine', `${machine.platform} ${machine.architecture}, ${machine.release}`],
    ['processor', machine.cpu],
    ['cores', `${machine.physicalCores} physical, ${machine.logicalCores} logical${limit}`],
    ['instructions', machine.instructionSets.join(' ') || 'not told'],
    ['memory', `${gigabytes(machine.memoryAvailableBytes)} free of ${gigabytes(machine.memoryTotalBytes)}`],
    ...folders.map(({ purpose, path, freeBytes }): [string, string] => [
      'disk',
      `${freeBytes === null ? 'unknown' : gigabytes(freeBytes)} free for ${purpose}: ${path}`,
    ]),
    [
      'versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version ?? 'missing'}`)
        .join(', '),
    ],
    ['onnxruntime', engineLine(onnxruntime)],
    ['kernels', kernelsLine(report)],
    ['webgpu', webgpu.found ? 'an adapter works' : `no adapter: ${webgpu.reason}`],
    ['llama.cpp', engineLine(llamaCpp)],
    ...gpuBuildRows(report),
    ...models.map((model): [string, string] => ['model', `${model.name}  ${gigabytes(model.bytes)}  ${model.path}`]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const lines = rows.map(([name, value]) => name.padEnd(width) + value);
  lines.push('');
  if (findings.length === 0) lines.push('Nothing is wrong.');
  for (const { severity, fault, remedy } of findings) lines.push(`${severity}: ${fault}`, `  remedy: ${remedy}`);
  return `${lines.join('\n')}\n`;
}

/** nomoat asks for the CPU's build alone, so that what is trained is what is used; the others are named for those who look for them. */
function gpuBuildRows({ gpuBuilds: builds }: DoctorReport): [string, string][] {
  return builds.map(({ name, command }) => [
    `with ${name}`,
    command === null ? 'installed; nomoat chats on the CPU' : `not installed, nomoat chats on the CPU: ${command}`,
  ]);
}

/** Which engine trains adapters, and why. */
function kernelsLine({ kernels: { detail, works } }: DoctorReport): string {
  if (!works) return `none, onnxruntime trains: ${detail}`;
  return `${detail}, self-test passed; they train adapters on a base in int8, and where the setting engine is native`;
}

function engineLine({ works, detail, seconds }: DoctorEngine): string {
  return works ? `works (${detail}, ${seconds.toFixed(1)} s)` : `does not load: ${detail}`;
}
