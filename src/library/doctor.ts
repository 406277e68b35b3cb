/** What this machine has, and what is wrong with it. */
import { type DoctorReport, doctor as examine } from '../machine/doctor.ts';

/** What is looked at. */
export interface DoctorOptions {
  /** Where runs would be written (default: the working directory). */
  readonly runsFolder?: string;
}

/** Never rejects: what is missing or broken is among the findings, each with its remedy. Changes nothing, asks no network. */
export const doctor = ({ runsFolder }: DoctorOptions = {}): Promise<DoctorReport> =>
  examine(runsFolder === undefined ? {} : { runsFolder });
