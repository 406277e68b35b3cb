/** `nomoat doctor`: what this machine has, and what is wrong. */
import type { Command } from 'commander';
import { toggle } from '../settings/fields.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

const reportShown = { json: toggle(false, 'as one JSON object') };

export function command(): Command {
  const command = bare('doctor');
  return addFlags(command, reportShown).action(async () => {
    const { json } = flagsOf(command, reportShown);
    const { doctor } = await import('../library/doctor.ts');
    const { renderDoctor } = await import('../machine/render-doctor.ts');
    const { findings, ...facts } = await doctor();
    const remedies = findings.map((finding) => ({ ...finding, remedy: inCommandWords(finding.remedy) }));
    const report = { ...facts, findings: remedies };
    print(json ? JSON.stringify(report) : renderDoctor(report));
  });
}
