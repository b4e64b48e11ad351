import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { GatewaySettings } from './config.js';

/** Where a request came from and under which address its client knows us. */
export interface RequestOrigin {
  readonly address: string;
  /** Scheme, host and path prefix, without a slash at its end. */
  readonly publicUrl: string;
}

/**
 * Forwarded headers count only from the proxies in the settings; from anybody else they would let a client choose its own
 * address and the links it is given.
 */
export class OriginReader {
  private readonly trusted = new BlockList();

  constructor(private readonly settings: GatewaySettings) {
    for (const proxy of settings.trustedProxies) this.trust(proxy);
  }

  read(peer: string, headers: IncomingHttpHeaders): RequestOrigin {
    const trusted = this.isTrusted(peer);
    const forwarded = (name: string): string | undefined =>
      trusted ? listOf(headers[name]).at(0) : undefined;
    const { publicUrl, pathPrefix } = this.settings;
    const scheme = forwarded('x-forwarded-proto') === 'https' ? 'https' : 'http';
    const host = forwarded('x-forwarded-host') ?? headers.host ?? 'localhost';
    const own = `${scheme}://${isHost(host) ? host : 'localhost'}${pathPrefix}`;
    return { address: trusted ? this.clientOf(peer, headers) : peer, publicUrl: publicUrl ?? own };
  }

  /** From the right, the first address that no trusted proxy has: what stands left of it a client may have written. */
  private clientOf(peer: string, headers: IncomingHttpHeaders): string {
    const chain = listOf(headers['x-forwarded-for']).filter((address) => isIP(address) !== 0);
    return chain.findLast((address) => !this.isTrusted(address)) ?? chain.at(0) ?? peer;
  }

  private isTrusted(address: string): boolean {
    if (this.settings.trustedProxies.length === 0) return false;
    const plain = address.replace(/^::ffff:/, '');
    const family = isIP(plain);
    return family !== 0 && this.trusted.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }

  /** @throws Error for what is neither an address nor a network */
  private trust(proxy: string): void {
    const [address = '', bits] = proxy.split('/');
    const family = isIP(address);
    if (family === 0) throw new Error(`QUIRE_TRUSTED_PROXIES has ${proxy}, which is no address.`);
    const type = family === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) this.trusted.addAddress(address, type);
    else this.trusted.addSubnet(address, Number(bits), type);
  }
}

function listOf(header: string | readonly string[] | undefined): readonly string[] {
  return [header ?? []]
    .flat()
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

/** Goes into links: nothing but a host name and a port. */
function isHost(text: string): boolean {
  return /^([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?$/.test(text);
}
