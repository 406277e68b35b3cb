/** Which projects a checkpoint was shared with, as scripts say it: kept and listed. */
import { z } from 'zod';
import type { State } from './database.ts';
import { newId, nowInSeconds } from './ids.ts';
import { type Page, type PageQuery, pageOf, whereGiven } from './pages.ts';

const permissionRow = z.object({ id: z.string(), project_id: z.string(), created: z.int() });
export type StoredPermission = z.output<typeof permissionRow>;

export class PermissionStore {
  private readonly state: State;

  constructor(state: State) {
    this.state = state;
  }

  /** Those of the projects, new or from before. */
  grant(checkpoint: string, projects: readonly string[]): StoredPermission[] {
    return this.state.atomically(() =>
      projects.map((project) => {
        this.state.database
          .prepare('insert or ignore into permissions (id, checkpoint, project_id, created) values (?, ?, ?, ?)')
          .run(newId('cp_'), checkpoint, project, nowInSeconds());
        const find = this.state.database.prepare('select * from permissions where checkpoint = ? and project_id = ?');
        return permissionRow.parse(find.get(checkpoint, project));
      }),
    );
  }

  /** null where `after` is no permission. */
  list(checkpoint: string, project: string | null, query: PageQuery): Page<StoredPermission> | null {
    const where = whereGiven({ checkpoint, project_id: project });
    const page = pageOf(this.state, 'permissions', { where }, query);
    return page && { ...page, data: page.data.map((row) => permissionRow.parse(row)) };
  }

  /** Whether there was one. */
  revoke(checkpoint: string, id: string): boolean {
    const change = this.state.database.prepare('delete from permissions where checkpoint = ? and id = ?');
    return change.run(checkpoint, id).changes > 0;
  }
}
