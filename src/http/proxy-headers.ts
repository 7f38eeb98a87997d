import type { IncomingMessage } from 'node:http';

/*
 * What proxies, load balancers and content delivery networks add to the requests that they pass on. A client can add these, too:
 * they say that a request may come from elsewhere, and never from where.
 */

const PROXY_HEADER =
  /^(forwarded|via|x-forwarded(-.+)?|x-original-.+|x-real-ip|x-real-port|client-ip|x-client-ip|true-client-ip|x-cluster-client-ip|x-proxyuser-ip|x-remote-(ip|addr)|remote-addr|x-host|x-envoy-.+|x-amz(n|-cf)-.+|cloudfront-.+|x-azure-.+|x-appengine-.+|x-cloud-trace-context|x-goog-.+|cf-.+|cdn-loop|fastly-.+|x-varnish|x-akamai-.+|akamai-.+|x-vercel-.+|x-nf-.+|fly-.+|x-arr-.+|x-traefik-.+|x-proxy-.+|proxy-.+)$/;

/** Whether a request has a header that a proxy adds. */
export function hasProxyHeader({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return Object.keys(headers).some((name) => PROXY_HEADER.test(name));
}
