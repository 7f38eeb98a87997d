/** Where the links in mails lead: to the storefront, which may be the shop window, else to the shop's own plain pages. */
export interface Links {
  order(token: string): string;
  confirmEmail(token: string): string;
  resetPassword(token: string): string;
  cancelStockAlert(token: string): string;
  /** Null without a storefront: the plain pages show no products. */
  product(slug: string): string | null;
  cart(): string | null;
  /** The front page. */
  home(): string | null;
  /** Always the shop itself: mail programs ask it without anybody looking. */
  unsubscribe(token: string): string;
  /** A picture as it is stored: a URL, or a path of the shop's own. */
  picture(url: string): string | null;
}

/** Makes the links of one shop. */
export function createLinks(options: { storefrontUrl: string | null; publicUrl: string }): Links {
  const { storefrontUrl, publicUrl } = options;
  const page = (name: string, token: string) =>
    `${storefrontUrl ?? `${publicUrl}/mail`}/${name}?token=${encodeURIComponent(token)}`;
  const ofStorefront = (path: string) => (storefrontUrl === null ? null : `${storefrontUrl}${path}`);
  return {
    order: (token) => page('order', token),
    confirmEmail: (token) => page('confirm-email', token),
    resetPassword: (token) => page('reset-password', token),
    cancelStockAlert: (token) => page('stock-alert', token),
    product: (slug) => ofStorefront(`/products/${encodeURIComponent(slug)}`),
    cart: () => ofStorefront('/cart'),
    home: () => ofStorefront('/'),
    unsubscribe: (token) => `${publicUrl}/mail/unsubscribe?token=${encodeURIComponent(token)}`,
    picture(url) {
      const base = `${publicUrl}/`;
      if (!URL.canParse(url, base)) return null;
      const { protocol, href } = new URL(url, base);
      return protocol === 'https:' || protocol === 'http:' ? href : null;
    },
  };
}
