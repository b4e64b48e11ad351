/** Where people see an instance (`data-export.md`, section 9); nowhere, if the tenant has not said its `folioHost`. */
export function inventoryLink(host: string | null, instanceId: string): string | undefined {
  return host === null ? undefined : `${host.replace(/\/+$/, '')}/inventory/view/${instanceId}`;
}
