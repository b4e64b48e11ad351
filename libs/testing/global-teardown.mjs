/** Jest's global tear-down: stops what global-setup.mjs started. Both run in the same process. */
export default async function stopTestDatabase() {
  await globalThis.stopTestDatabase?.();
}
