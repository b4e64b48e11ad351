import { USER_ID, type Answer, type Ask, type ImportWorld } from './import-world.js';

export const JOBS = '/change-manager/jobExecutions';
export const ONLINE = { sourceType: 'ONLINE', userId: USER_ID };

/** Jobs that are made and changed by hand, through the change manager. */
export function manualJobs(world: () => ImportWorld) {
  const post = (body: object, ask: Ask = {}): Promise<Answer> =>
    world().ask('POST', JOBS, { ...ask, body });
  const put = (path: string, body: object): Promise<Answer> =>
    world().ask('PUT', `${JOBS}/${path}`, { body });
  const made = async (body: object = ONLINE): Promise<Answer['json']> => {
    const answer = await post(body);
    expect(answer.status).toBe(201);
    return (answer.json as { jobExecutions: Answer['json'][] }).jobExecutions[0];
  };
  const events = (jobId: string): Promise<object[]> =>
    world().rows<{ from_status: string; to_status: string; actor: string }>(
      'select from_status, to_status, actor from job_transition where tenant_id = $1 and job_id = $2 order by version',
      [jobId],
    );
  return { post, put, made, events };
}
