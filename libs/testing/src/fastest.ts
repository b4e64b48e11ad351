/** A machine that shares its cores takes some of these away from us; slow code is slow in all of them. */
const TRIES = 20;

/**
 * Milliseconds of processor time of the fastest of up to twenty tries: what the work itself takes, however busy the machine is.
 * For rules that promise an answer within some time.
 *
 * @param enoughMs a try that takes no longer than this is the last one
 */
export function fastestMs(work: () => void, enoughMs = 0): number {
  let fastest = Infinity;
  for (let tries = 0; tries < TRIES && fastest > enoughMs; tries += 1) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    fastest = Math.min(fastest, (user + system) / 1_000);
  }
  return fastest;
}
